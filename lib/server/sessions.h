/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_SERVER_SESSIONS_H
#define SMTPD_SERVER_SESSIONS_H

/*
 * The sessions that a server runs at present: each on its own thread, and in
 * one list, so that they can be interrupted and waited for.
 */

#include "server/server_state.h"
#include "transport/wire.h"

/*
 * Run one session from its first to its last byte on descriptors IN and OUT
 * with PEER.  C is its connection, NULL for smtpd_server_serve().  Return 0,
 * or -1 when it comes too late: the server is stopping.
 */
int smtpd__sessions_run(struct smtpd_server *srv, const struct smtpd_worker *w,
    int in, int out, const struct smtpd_sockaddr *peer,
    struct smtpd_connection *c);

/* Whether the calling thread runs a session.  The lock is held. */
bool smtpd__sessions_own_thread(const struct smtpd_server *srv);

/* Interrupt all sessions.  Return how many there are.  The lock is held. */
int smtpd__sessions_interrupt(
    struct smtpd_server *srv, enum smtpd_interrupt what);

/* Have the session that has been silent longest, for SILENT_MS at least, make
 * room for another.  Return whether there is one.  The lock is held. */
bool smtpd__sessions_evict(struct smtpd_server *srv, uint64_t silent_ms);

/* Wait up to TIMEOUT_MS until no session is left.  The lock is held. */
void smtpd__sessions_wait(struct smtpd_server *srv, uint32_t timeout_ms);

#endif
