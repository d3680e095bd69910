/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_CLIENT_EXCHANGE_H
#define SMTPD_CLIENT_EXCHANGE_H

/*
 * Commands and replies.  A reply that never comes, that is none, or that says
 * 421 ends the connection: it is closed, and the client's result says why.
 */

#include <smtpd/version.h>

#include "client/client_state.h"

/* Octets of a command with its CRLF. */
#define SMTPD_COMMAND_MAX 4096

/* Octets of a line of AUTH without its CRLF (RFC 4954, 4). */
#define SMTPD_AUTH_LINE_MAX 12286

/* Told of a line of a reply: LEN bytes at TEXT behind the code. */
typedef void smtpd_reply_line_fn(
    struct smtpd_client *c, const char *text, size_t len);

/*
 * Put a command, to go out at the next wait for a reply.  Return the octets it
 * takes, 0 when the connection was closed.
 */
size_t smtpd__client_exchange_write(struct smtpd_client *c,
    enum smtpd_phase phase, const char *format, ...) SMTPD_PRINTF(3, 4);

/* Put LEN bytes at LINE, SMTPD_AUTH_LINE_MAX at most, as a line that nobody is
 * shown.  Return as above. */
size_t smtpd__client_exchange_write_secret(struct smtpd_client *c,
    enum smtpd_phase phase, const char *line, size_t len);

/*
 * Send what was put, and wait MS milliseconds for a reply, all of it.  EACH is
 * called with its lines, unless NULL.  Return its code, or -1 when the
 * connection was closed.
 */
int smtpd__client_exchange_read_reply(struct smtpd_client *c,
    enum smtpd_phase phase, uint32_t ms, smtpd_reply_line_fn *each);

/* Send one command and read its reply. */
int smtpd__client_exchange_command(struct smtpd_client *c,
    enum smtpd_phase phase, uint32_t ms, const char *format, ...)
    SMTPD_PRINTF(4, 5);

/*
 * Whether the two sides are in step: when no reply is awaited there must be no
 * input (RFC 5321, 4.2: one reply for each command).  A command that is written
 * checks it.  Return -1 when they are not, and the connection was closed.
 */
int smtpd__client_exchange_check_step(
    struct smtpd_client *c, enum smtpd_phase phase);

/* Fill in OUT by the last reply, to a command of PHASE. */
void smtpd__client_exchange_judge(const struct smtpd_client *c,
    enum smtpd_phase phase, struct smtpd_result *out);

/* Close the connection for a reason of our own, temporary.  Return -1. */
int smtpd__client_exchange_fail(struct smtpd_client *c, enum smtpd_phase phase,
    const char *status, const char *format, ...) SMTPD_PRINTF(4, 5);

/* Close the connection because of the last reply.  Return -1. */
int smtpd__client_exchange_refused(
    struct smtpd_client *c, enum smtpd_phase phase);

/* Close the connection because reading or writing gave STATUS.  Return -1. */
int smtpd__client_exchange_broken(struct smtpd_client *c,
    enum smtpd_phase phase, enum smtpd_io_status status);

/* Close the connection if it is open, without a wait. */
void smtpd__client_exchange_close(struct smtpd_client *c);

/* Whether the last connection failed by trouble of our own network alone. */
bool smtpd__client_exchange_is_offline(const struct smtpd_client *c);

/* Whether the last connection was ended since the server takes no more messages
 * in one session (RFC 9422, 4.1). */
bool smtpd__client_exchange_is_full(const struct smtpd_client *c);

#endif
