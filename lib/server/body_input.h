/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_SERVER_BODY_INPUT_H
#define SMTPD_SERVER_BODY_INPUT_H

/*
 * The octets of a message as the client sends them, held to the deadlines, the
 * minimum rate and the largest size that is worth reading.
 */

#include "server/session_state.h"

struct smtpd_body_input {
	struct smtpd_session *s;
	enum smtpd_io_status status; /* not OK: the input failed */
	uint64_t octets;             /* taken so far */
	uint64_t waited_ms;          /* for them */
	uint64_t unpaid;             /* octets taken since the last wait */
	uint64_t debt; /* octets that are missing for the minimum rate, times
	                * 1000 */
};

/* Begin a message that S reads from now on. */
void smtpd__body_input_init(
    struct smtpd_body_input *in, struct smtpd_session *s);

/* The octets that came and were not taken yet: *LEN, at least 1, waited for if
 * there are none.  NULL once the input failed. */
const char *smtpd__body_input_peek(struct smtpd_body_input *in, size_t *len);

/* Wait for more than the stream has already.  Return false once the input
 * failed. */
bool smtpd__body_input_wait(struct smtpd_body_input *in);

/* Take LEN octets of smtpd__body_input_peek(). */
void smtpd__body_input_take(struct smtpd_body_input *in, size_t len);

#endif
