/* SPDX-License-Identifier: MIT */
#include "listen_inherited.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

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

/* Complain to the user, and to the process that passed the sockets, if it is
 * one of ours: it has the log.  Return STATUS. */
SMTPD_PRINTF(4, 5)
static int
complain_twice(const char *program, const struct listen_where *where,
    int status, const char *format, ...)
{
	char why[HANDOVER_WHY_SIZE];
	va_list ap;

	va_start(ap, format);
	vsnprintf(why, sizeof(why), format, ap);
	va_end(ap);
	handover_fail(&where->old, why);
	return complain(program, status, "%s", why);
}

static int
open_socket(const char *program, struct smtpd_server *srv,
    const struct listen_where *where, int fd, const char *name)
{
	bool loopback;
	unsigned flags = flags_of(where, name, port_of(fd, &loopback));

	if (where->only_loopback && !loopback)
		return complain_twice(program, where, EX_USAGE,
		    "other hosts could reach a socket that was passed to it: "
		    "%s takes mail from this host only, on 127.0.0.1, ::1 or "
		    "the path of a socket",
		    program);
	if ((flags & SMTPD_LISTEN_LMTP) != 0 && where->lmtp == NULL)
		return complain_twice(program, where, EX_USAGE,
		    "a socket that was passed to it is named \"%s\": %s has no "
		    "LMTP",
		    name, program);
	if ((flags & SMTPD_LISTEN_TLS) != 0 && !where->has_tls)
		return complain_twice(program, where, EX_USAGE,
		    "a socket that was passed to it is named \"%s\": TLS needs "
		    "a certificate and its key (--tls-cert, --tls-key)",
		    name);
	if (smtpd_server_listen_fd(srv, fd, flags) == -1)
		return complain_twice(program, where, EX_OSERR,
		    "cannot listen on the socket \"%s\" that was passed to it: "
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

/* Remove the file of the UNIX socket PATH, if nobody listens there. */
static void
remove_file(const char *path)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd == -1)
		return;
	if (snprintf(un.sun_path, sizeof(un.sun_path), "%s", path) <
		(int)sizeof(un.sun_path) &&
	    connect(fd, (const struct sockaddr *)&un, sizeof(un)) == -1 &&
	    errno == ECONNREFUSED)
		unlink(path);
	close(fd);
}

void
listen_inherited_close(
    const struct smtpd_server *srv, const struct listen_where *where)
{
	const char *address;

	if (!where->inherited || where->kept)
		return;
	for (size_t i = 0; (address = smtpd_server_address(srv, i)) != NULL;
	    i++)
		if (*address == '/')
			remove_file(address);
}
