/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_SERVER_SESSIONS_H
#define SMTPD_SERVER_SESSIONS_H

/*
 * One session from its first to its last byte, on the thread that calls.
 */

#include "server/server_state.h"

/*
 * Run a session on descriptors IN and OUT with PEER, as FLAGS, of enum
 * smtpd_listen_flag, say.  C is its connection, NULL for smtpd_server_serve().
 * Return 0, or -1 when it comes too late: the server is stopping.
 */
int smtpd__sessions_run(struct smtpd_server *srv, const struct smtpd_worker *w,
    int in, int out, unsigned flags, const struct smtpd_sockaddr *peer,
    struct smtpd_connection *c);

#endif
