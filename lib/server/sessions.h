/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_SERVER_SESSIONS_H
#define SMTPD_SERVER_SESSIONS_H

/*
 * Sessions from their first to their last byte, each on the thread that calls,
 * or parked in between.
 */

#include "server/server_state.h"

/* Run the session of connection C until it is over and closed, or *PARKED.
 * Return 0, or -1 with errno, and C is as it was: ESHUTDOWN or ENOMEM. */
int smtpd__sessions_begin(struct smtpd_server *srv, struct smtpd_worker *w,
    const struct smtpd_connection *c, bool *parked);

/* Have a thread of the pool run the session of connection C likewise.  Return
 * the same. */
int smtpd__sessions_adopt(
    struct smtpd_server *srv, const struct smtpd_connection *c);

/* Take a session that has something to do.  NULL: there is none. */
struct smtpd_session *smtpd__sessions_take(struct smtpd_server *srv);

/* There is no thread for S, which was taken: it is taken again, after a moment,
 * in which the caller rests. */
void smtpd__sessions_put_back(
    struct smtpd_server *srv, struct smtpd_session *s);

/* Run S, which was taken, likewise.  Return whether it is parked. */
bool smtpd__sessions_go_on(
    struct smtpd_server *srv, struct smtpd_worker *w, struct smtpd_session *s);

/* Run a session on descriptors IN and OUT, which stay the caller's, with FLAGS
 * as those of a listener, until it is over.  Return 0, or -1 likewise. */
int smtpd__sessions_serve(
    struct smtpd_server *srv, int in, int out, unsigned flags);

#endif
