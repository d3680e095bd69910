/* SPDX-License-Identifier: MIT */
#include "listen_inherited.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <stdbool.h>
#include <string.h>
#include <sysexits.h>

#include "complain.h"
#include "handover.h"
#include "systemd.h"

/* A socket of any family. */
union address {
	struct sockaddr_storage any;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
};

/* The port of socket FD, 0 when it has none, and whether only this host can
 * reach it. */
static unsigned
port_of(int fd, bool *loopback)
{
	union address a = { .any = { .ss_family = AF_UNSPEC } };
	socklen_t len = sizeof(a);

	*loopback = false;
	if (getsockname(fd, (struct sockaddr *)&a, &len) == -1)
		return 0;
	switch (a.any.ss_family) {
	case AF_INET:
		*loopback = ntohl(a.in.sin_addr.s_addr) >> 24 == 127;
		return ntohs(a.in.sin_port);
	case AF_INET6:
		*loopback = IN6_IS_ADDR_LOOPBACK(&a.in6.sin6_addr);
		return ntohs(a.in6.sin6_port);
	default:
		*loopback = a.any.ss_family == AF_UNIX;
		return 0;
	}
}

/* How to listen on a socket with NAME and PORT. */
static unsigned
flags_of(const struct listen_where *where, const char *name, unsigned port)
{
	if (strcmp(name, HANDOVER_SMTPS) == 0)
		return SMTPD_LISTEN_TLS;
	if (strcmp(name, HANDOVER_LMTP) == 0)
		return SMTPD_LISTEN_LMTP;
	if (strcmp(name, HANDOVER_SMTP) == 0 || port == 0)
		return 0;
	return port == where->tls_port ? SMTPD_LISTEN_TLS : 0;
}

static int
open_socket(const char *program, struct smtpd_server *srv,
    const struct listen_where *where, int fd, const char *name)
{
	bool loopback;
	unsigned flags = flags_of(where, name, port_of(fd, &loopback));

	if (where->only_loopback && !loopback)
		return complain(program, EX_USAGE,
		    "other hosts could reach a socket that systemd passed: %s "
		    "takes mail from this host only, on 127.0.0.1, ::1 or the "
		    "path of a socket",
		    program);
	if ((flags & SMTPD_LISTEN_LMTP) != 0 && where->lmtp == NULL)
		return complain(program, EX_USAGE,
		    "a socket that systemd passed is named \"%s\": %s has no "
		    "LMTP",
		    name, program);
	if ((flags & SMTPD_LISTEN_TLS) != 0 && !where->has_tls)
		return complain(program, EX_USAGE,
		    "a socket that systemd passed is named \"%s\": TLS needs a "
		    "certificate and its key (--tls-cert, --tls-key)",
		    name);
	if (smtpd_server_listen_fd(srv, fd, flags) == -1)
		return complain(program, EX_OSERR,
		    "cannot listen on the socket \"%s\" that systemd passed: "
		    "%s",
		    name, smtpd_server_error(srv));
	return 0;
}

int
listen_inherited_open(const char *program, struct smtpd_server *srv,
    const struct listen_where *where, const struct text_list *names)
{
	int status = 0;

	for (size_t i = 0; i < names->count && status == 0; i++)
		status = open_socket(program, srv, where,
		    SYSTEMD_FIRST_FD + (int)i, names->items[i]);
	return status;
}
