/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_SERVER_SESSION_END_H
#define SMTPD_SERVER_SESSION_END_H

/*
 * The end of a session: the only map from the status of an I/O operation to
 * reply, counter and reason to close, and the last bytes.
 */

#include "server/session_state.h"

/* Close because reading from the client ended with STATUS, in the phase that S
 * is in.  The reply is set if there is one; the caller sends it. */
void smtpd__session_end_lose(
    struct smtpd_session *s, enum smtpd_io_status status);

/* Close if a reply could not be sent: exactly one comes for each command, or no
 * more at all. */
void smtpd__session_end_check_output(struct smtpd_session *s);

/* Log that what the session needs is not there, "no TLS", for REASON. */
void smtpd__session_end_log(
    const struct smtpd_session *s, const char *lack, const char *reason);

/* Send the last bytes as it fits the reason to close.  Return whether that is
 * over; if S may be parked it may not be, see smtpd__stream_linger(). */
bool smtpd__session_end_goodbye(struct smtpd_session *s);

#endif
