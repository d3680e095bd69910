/* SPDX-License-Identifier: MIT */
#ifndef LISTEN_H
#define LISTEN_H

/*
 * Where a daemon listens: at addresses, on interfaces, or on the sockets that
 * systemd or the process before it passed.
 */

#include <stdbool.h>
#include <stddef.h>

#include <smtpd/server.h>

#include "handover.h"
#include "log.h"
#include "text_list.h"

/* In the place of a port: any that is free. */
#define LISTEN_ANY_PORT 65536U

struct listen_where {
	const struct text_list *interfaces; /* the addresses of these */
	bool loopback;                      /* 127.0.0.1 and ::1 */
	const struct text_list *addresses;  /* these too */
	const struct text_list *lmtp;       /* these, for LMTP; NULL: none */
	unsigned port;      /* for all that name none; 0: for none */
	unsigned tls_port;  /* for these too; what listens there, however it
	                    * was named, begins with TLS; 0: none */
	bool has_tls;       /* there are certificates */
	bool only_loopback; /* refuse whatever other hosts could reach */

	bool follows;            /* listen_open() chose by interfaces */
	bool inherited;          /* sockets were passed to it */
	bool kept;               /* others, systemd, keep them open */
	struct handover_old old; /* the process that passed them */
	struct text_list told;   /* where listen_follow() failed */
};

/* Whether only this host can reach ADDRESS, with a port or without: a loopback
 * address, or the path of a socket. */
bool listen_is_loopback(const char *address);

/*
 * Write ADDRESS with PORT, where it names none itself, to BUF of SIZE bytes, as
 * smtpd_server_listen() takes it.  Return 0, or -1 when it needs a port and
 * PORT is 0, or does not fit.
 */
int listen_address(const char *address, unsigned port, char *buf, size_t size);

/* Whether ADDRESS, as smtpd_server_address() gives it, has PORT, not 0. */
bool listen_has_port(const char *address, unsigned port);

/*
 * Open listeners of SRV on the sockets that were passed to this process;
 * without them on all that WHERE names; if that is nothing, on the addresses of
 * the interface that leads to the Internet.  An address of an interface may be
 * tested still (tentative), or in use; one is enough.  Return 0, or an exit
 * status (EX_USAGE, EX_UNAVAILABLE, EX_NOPERM, EX_OSERR) after complaining as
 * PROGRAM.
 */
int listen_open(const char *program, struct smtpd_server *srv,
    struct listen_where *where, struct log *log);

/* Listen on addresses too that the interfaces of WHERE have got since, with a
 * line in LOG for each; SRV runs. */
void listen_follow(
    struct smtpd_server *srv, struct listen_where *where, struct log *log);

/* Free what WHERE holds of these functions. */
void listen_finish(struct listen_where *where);

#endif
