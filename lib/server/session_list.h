/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_SERVER_SESSION_LIST_H
#define SMTPD_SERVER_SESSION_LIST_H

/*
 * The sessions that a server runs at present, in one list, so that they can be
 * interrupted and waited for.
 */

#include "server/server_state.h"
#include "transport/wire.h"

/*
 * Put S, which came through listener OPTIONS (or NULL), in the list of all
 * sessions, and give it the TLS of this moment; false when it comes too late.
 */
bool smtpd__session_list_enter(struct smtpd_server *srv,
    struct smtpd_session *s, const struct smtpd_listener_options *options);

/* Take S out again, and the slot of its connection with it. */
void smtpd__session_list_leave(
    struct smtpd_server *srv, struct smtpd_session *s);

/* If no session is left, and none will come, tell those who wait for that by a
 * descriptor.  The lock is held. */
void smtpd__session_list_tell_end(struct smtpd_server *srv);

/* S runs on the calling thread now. */
void smtpd__session_list_set_thread(
    struct smtpd_server *srv, struct smtpd_session *s);

/* Park S, which waits for its client: any thread may go on with it.  Return
 * false when it cannot be, or is interrupted. */
bool smtpd__session_list_park(
    struct smtpd_server *srv, struct smtpd_session *s);

/* Whether the calling thread runs a session.  The lock is held. */
bool smtpd__session_list_own_thread(const struct smtpd_server *srv);

/* Interrupt all sessions.  Return how many there are.  The lock is held. */
int smtpd__session_list_interrupt(
    struct smtpd_server *srv, enum smtpd_interrupt what);

/* Have the session that has been parked longest, for SILENT_MS at least, make
 * room for another.  Return whether there is one.  The lock is held. */
bool smtpd__session_list_evict(struct smtpd_server *srv, uint64_t silent_ms);

/* Wait up to TIMEOUT_MS until no session is left.  The lock is held. */
void smtpd__session_list_wait(struct smtpd_server *srv, uint32_t timeout_ms);

#endif
