/* SPDX-License-Identifier: MIT */
#include "listen.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "complain.h"
#include "interface.h"
#include "listen_inherited.h"
#include "listen_interface.h"
#include "systemd.h"

/* As large as any address with its port or path. */
#define ADDRESS_SIZE 256

/* The parameters of one call of listen_open(). */
struct listening {
	const char *program;
	struct smtpd_server *srv;
	struct log *log;
	unsigned port, tls_port;
	bool only_loopback;
	const char *option; /* that names the addresses; NULL: it depends */
};

static bool
is_loopback4(const struct in_addr *a)
{
	return ntohl(a->s_addr) >> 24 == 127;
}

bool
listen_is_loopback(const char *address)
{
	char host[INET6_ADDRSTRLEN];
	bool bracket = *address == '[';
	const char *colon = strchr(address, ':');
	struct in6_addr a6;
	struct in_addr a4;
	size_t len = strlen(address);

	if (*address == '/')
		return true;
	if (bracket)
		len = strcspn(++address, "]");
	else if (colon != NULL && strchr(colon + 1, ':') == NULL)
		len = (size_t)(colon - address);
	if (len >= sizeof(host))
		return false;
	memcpy(host, address, len);
	host[len] = '\0';
	if (!bracket && inet_pton(AF_INET, host, &a4) == 1)
		return is_loopback4(&a4);
	return inet_pton(AF_INET6, host, &a6) == 1 && IN6_IS_ADDR_LOOPBACK(&a6);
}

int
listen_address(const char *address, unsigned port, char *buf, size_t size)
{
	const char *colon = strchr(address, ':');
	bool whole, bare6;
	int n;

	bare6 = *address != '/' && *address != '[' && colon != NULL &&
	    strchr(colon + 1, ':') != NULL;
	if (*address == '[')
		whole = strstr(address, "]:") != NULL;
	else
		whole = *address == '/' || (colon != NULL && !bare6);
	if (!whole && port == 0)
		return -1;
	if (whole)
		n = snprintf(buf, size, "%s", address);
	else if (bare6)
		n = snprintf(
		    buf, size, "[%s]:%u", address, port % LISTEN_ANY_PORT);
	else
		n = snprintf(
		    buf, size, "%s:%u", address, port % LISTEN_ANY_PORT);
	return n >= 0 && (size_t)n < size ? 0 : -1;
}

bool
listen_has_port(const char *address, unsigned port)
{
	const char *colon = strrchr(address, ':');
	char text[16];

	snprintf(text, sizeof(text), ":%u", port);
	return port != 0 && *address != '/' && colon != NULL &&
	    strcmp(colon, text) == 0;
}

/* The option that could name another place than ADDRESS. */
static const char *
place_option(const struct listening *l, const char *address)
{
	if (l->option != NULL)
		return l->option;
	if (*address == '/')
		return "--listen";
	return listen_has_port(address, l->tls_port) ? "--tls-port" : "--port";
}

static int
complain_in_use(const struct listening *l, const char *address)
{
	struct stat st;

	if (*address == '/' && lstat(address, &st) == 0 &&
	    !S_ISSOCK(st.st_mode))
		return complain(l->program, EX_UNAVAILABLE,
		    "%s is there, and is no socket: remove it, or choose "
		    "another path (%s)",
		    address, place_option(l, address));
	return complain(l->program, EX_UNAVAILABLE,
	    "%s is in use by another program: stop that, or choose another %s "
	    "(%s)",
	    address, *address == '/' ? "path" : "port",
	    place_option(l, address));
}

/* ADDRESS, to which a port may have been added, is none. */
static int
complain_syntax(const struct listening *l, const char *address)
{
	int len = (int)strlen(address);
	const char *colon = strrchr(address, ':');
	char name[IF_NAMESIZE];

	if (listen_has_port(address, l->port) ||
	    listen_has_port(address, l->tls_port))
		len = (int)(colon - address);
	if (snprintf(name, sizeof(name), "%.*s", len, address) <
		(int)sizeof(name) &&
	    if_nametoindex(name) != 0)
		return complain(l->program, EX_USAGE,
		    "--listen %s: that is an interface: --interface %s", name,
		    name);
	return complain(l->program, EX_USAGE,
	    "\"%.*s\" is not an address to listen on: give 192.0.2.1, "
	    "2001:db8::1, 192.0.2.1:25, [2001:db8::1]:25, or the path of a "
	    "socket",
	    len, address);
}

/* Say why listening on ADDRESS failed with ERROR, and what to do. */
static int
complain_listen(const struct listening *l, const char *address, int error)
{
	switch (error) {
	case EACCES:
	case EPERM:
		return complain(l->program, EX_NOPERM,
		    "no permission to listen on %s: start it as root, give it "
		    "CAP_NET_BIND_SERVICE, or choose a port from 1024 on (%s)",
		    address, place_option(l, address));
	case EADDRINUSE:
		return complain_in_use(l, address);
	case EADDRNOTAVAIL:
		return complain(l->program, EX_UNAVAILABLE,
		    "cannot listen on %s: no interface has that address",
		    address);
	case EINVAL:
		return complain_syntax(l, address);
	default:
		return complain(l->program, EX_OSERR, "cannot listen on %s: %s",
		    address, smtpd_server_error(l->srv));
	}
}

/* Listen on ADDRESS, which has a port.  OPTIONAL: it may be missing on this
 * machine.  FOUND: it is one of an interface. */
static int
open_whole(struct listening *l, const char *address, bool optional, bool found)
{
	unsigned flags =
	    listen_has_port(address, l->tls_port) ? SMTPD_LISTEN_TLS : 0;

	if (found)
		flags |= SMTPD_LISTEN_ABSENT;
	if (smtpd_server_listen(l->srv, address, flags) == 0)
		return 0;
	if (!(optional && (errno == EADDRNOTAVAIL || errno == EAFNOSUPPORT)) &&
	    !(found && errno == EADDRINUSE))
		return complain_listen(l, address, errno);
	log_line(l->log, SMTPD_LOG_WARNING, "not listening on %s: %s", address,
	    strerror(errno));
	return 0;
}

/* Listen on ADDRESS, on both ports if it names none. */
static int
open_one(struct listening *l, const char *address, bool optional, bool found)
{
	char plain[ADDRESS_SIZE], tls[ADDRESS_SIZE];
	bool has_plain, has_tls;
	int status = 0;

	has_plain = listen_address(address, l->port, plain, sizeof(plain)) == 0;
	has_tls = listen_address(address, l->tls_port, tls, sizeof(tls)) == 0;
	if (!has_plain && !has_tls)
		return complain(l->program, EX_USAGE,
		    "no port to listen on at %s: give one with --port",
		    address);
	if (has_plain)
		status = open_whole(l, plain, optional, found);
	if (has_plain && has_tls && strcmp(plain, tls) == 0)
		return status;
	if (status == 0 && has_tls)
		status = open_whole(l, tls, optional, found);
	return status;
}

static int
complain_reach(const struct listening *l, const char *address)
{
	return complain(l->program, EX_USAGE,
	    "%s: other hosts could reach it: %s takes mail from this host "
	    "only, on 127.0.0.1, ::1 or the path of a socket",
	    address, l->program);
}

static int
open_list(struct listening *l, const struct text_list *list, bool found)
{
	int status = 0;

	for (size_t i = 0; i < list->count && l->only_loopback; i++)
		if (!listen_is_loopback(list->items[i]))
			return complain_reach(l, list->items[i]);
	for (size_t i = 0; i < list->count && status == 0; i++)
		status = open_one(l, list->items[i], false, found);
	return status;
}

static int
open_loopback(struct listening *l)
{
	int status = open_one(l, "127.0.0.1", false, false);

	return status != 0 ? status : open_one(l, "::1", true, false);
}

/* Listen on the addresses of LIST for LMTP.  Each has a port of its own, since
 * none is usual. */
static int
open_lmtp(struct listening *l, const struct text_list *list)
{
	char whole[ADDRESS_SIZE];
	int status = 0;

	l->option = "--lmtp";
	for (size_t i = 0; i < list->count && status == 0; i++) {
		const char *address = list->items[i];

		if (listen_address(address, 0, whole, sizeof(whole)) == -1)
			return complain(l->program, EX_USAGE,
			    "--lmtp %s: give a port, as in 127.0.0.1:24, or "
			    "the path of a socket",
			    address);
		if (listen_has_port(whole, 25))
			return complain(l->program, EX_USAGE,
			    "--lmtp %s: port 25 is for SMTP alone: give "
			    "another one, as 24",
			    address);
		/* All users who may enter its directory may connect. */
		if (smtpd_server_listen(l->srv, whole, SMTPD_LISTEN_LMTP) ==
			-1 ||
		    (*whole == '/' && chmod(whole, 0666) == -1))
			status = complain_listen(l, whole, errno);
	}
	l->option = NULL;
	return status;
}

/* Listen on the addresses of interface NAME; NULL: of those that lead to the
 * Internet. */
static int
open_interface(struct listening *l, const char *name)
{
	struct text_list list = { 0 };
	int status = name != NULL
	    ? listen_interface_named(l->program, name, &list)
	    : listen_interface_default(l->program, &list);

	if (status == 0)
		status = open_list(l, &list, true);
	/* All are taken: say so for the first. */
	if (status == 0 && smtpd_server_address(l->srv, 0) == NULL)
		status = open_one(l, list.items[0], false, false);
	text_list_finish(&list);
	return status;
}

static bool
names_nothing(const struct listen_where *where)
{
	return where->addresses->count == 0 && where->interfaces->count == 0 &&
	    !where->loopback &&
	    (where->lmtp == NULL || where->lmtp->count == 0);
}

/* Open the listeners that were handed to this process; *FOUND says whether
 * there are any. */
static int
open_inherited(const char *program, struct smtpd_server *srv,
    struct listen_where *where, bool *found)
{
	struct text_list names = { 0 };
	int status = 0;

	if (handover_claim(&where->old, &names) == -1)
		status = errno == EINVAL
		    ? complain(program, EX_USAGE,
			  "LISTEN_FDS, the number of sockets that systemd "
			  "passed, is not one from 0 to %d",
			  SYSTEMD_SOCKETS_MAX)
		    : complain(program, EX_OSERR, "cannot take the sockets: %s",
			  strerror(errno));
	*found = names.count > 0;
	where->inherited = *found;
	/* Those of systemd, not those that an old process opened itself. */
	where->kept = *found && (where->old.channel == -1 || where->old.kept);
	if (status == 0)
		status = listen_inherited_open(program, srv, where, &names);
	text_list_finish(&names);
	return status;
}

int
listen_open(const char *program, struct smtpd_server *srv,
    struct listen_where *where, struct log *log)
{
	struct listening l = { program, srv, log, where->port, where->tls_port,
		where->only_loopback, NULL };
	bool done;
	int status = open_inherited(program, srv, where, &done);

	where->follows = !where->kept &&
	    (where->interfaces->count > 0 || names_nothing(where));
	if (status != 0 || done)
		return status;
	if (names_nothing(where))
		return open_interface(&l, NULL);
	status = open_list(&l, where->addresses, false);
	if (status == 0 && where->loopback)
		status = open_loopback(&l);
	for (size_t i = 0; i < where->interfaces->count && status == 0; i++)
		status = open_interface(&l, where->interfaces->items[i]);
	if (status == 0 && where->lmtp != NULL)
		status = open_lmtp(&l, where->lmtp);
	return status;
}

static bool
is_open(const struct smtpd_server *srv, const char *address)
{
	const char *other;

	for (size_t i = 0; (other = smtpd_server_address(srv, i)) != NULL; i++)
		if (strcmp(other, address) == 0)
			return true;
	return false;
}

/* Listen on ADDRESS with PORT, unless that is done. */
static void
follow_address(struct smtpd_server *srv, struct listen_where *where,
    struct log *log, const char *address, unsigned port)
{
	bool tls = port == where->tls_port;
	char whole[ADDRESS_SIZE];

	if (port == 0 ||
	    listen_address(address, port, whole, sizeof(whole)) == -1 ||
	    is_open(srv, whole))
		return;
	if (smtpd_server_listen(srv, whole,
		(tls ? SMTPD_LISTEN_TLS : 0U) | SMTPD_LISTEN_ABSENT) == 0) {
		log_line(log, SMTPD_LOG_INFO, "listening on %s%s", whole,
		    tls ? " with TLS" : "");
		return;
	}
	if (text_list_has(&where->told, whole))
		return;
	(void)!text_list_add(&where->told, whole);
	log_line(log, SMTPD_LOG_WARNING, "not listening on %s: %s", whole,
	    smtpd_server_error(srv));
}

void
listen_follow(
    struct smtpd_server *srv, struct listen_where *where, struct log *log)
{
	const struct text_list *named = where->interfaces;
	struct text_list defaults = { 0 }, list = { 0 };
	int result = 0;

	if (!where->follows)
		return;
	if (named->count == 0) {
		named = &defaults;
		result = interface_defaults(&defaults);
	}
	for (size_t i = 0; i < named->count && result == 0; i++)
		(void)!interface_addresses(named->items[i], &list);
	for (size_t i = 0; i < list.count && result == 0; i++) {
		follow_address(srv, where, log, list.items[i], where->port);
		follow_address(srv, where, log, list.items[i], where->tls_port);
	}
	text_list_finish(&list);
	text_list_finish(&defaults);
}

void
listen_finish(struct listen_where *where)
{
	text_list_finish(&where->told);
	if (where->old.channel > 0)
		close(where->old.channel);
}
