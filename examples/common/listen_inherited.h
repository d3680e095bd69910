/* SPDX-License-Identifier: MIT */
#ifndef LISTEN_INHERITED_H
#define LISTEN_INHERITED_H

/*
 * The listening sockets that a daemon was given at its start, by systemd or by
 * the process before it.
 */

#include <smtpd/server.h>

#include "listen.h"
#include "text_list.h"

/*
 * Listen on those of NAMES, from SYSTEMD_FIRST_FD on, with SRV.  The name of a
 * socket says what is spoken there: "smtp", "smtps" (TLS from the first byte)
 * or "lmtp"; one with another name, or none, is for SMTP, and with the port of
 * TLS in WHERE begins with that.  Return 0, or an exit status after complaining
 * as PROGRAM.
 */
int listen_inherited_open(const char *program, struct smtpd_server *srv,
    const struct listen_where *where, const struct text_list *names);

/* At the end of the process, if nobody took over: remove the files of UNIX
 * sockets that an old process handed to this one, as that would have done. */
void listen_inherited_close(
    const struct smtpd_server *srv, const struct listen_where *where);

#endif
