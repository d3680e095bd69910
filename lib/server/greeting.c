/* SPDX-License-Identifier: MIT */
#include "server/greeting.h"

#include "server/answer.h"

void
smtpd__greeting_say(struct smtpd_session *s)
{
	const struct smtpd_server_config *c = s->config;
	/* One that tells of others has made them wait. */
	const uint32_t delay_ms = s->may_tell ? 0 : c->settings.greet_delay_ms;

	s->announced = true;
	if (!smtpd__answer_check(s, smtpd__events_connect(s), 2)) {
		smtpd__session_close(s, SMTPD_CLOSE_REFUSED);
		return;
	}
	if (smtpd__stream_talks(&s->stream, delay_ms)) {
		smtpd__answer_cut_off(s, SMTPD_REPLY_TOO_EARLY);
		return;
	}
	smtpd__answer_say(s,
	    s->lmtp ? SMTPD_REPLY_GREETING_LMTP : SMTPD_REPLY_GREETING,
	    c->hostname);
	smtpd__answer_lead_with_name(s);
	/* No other code greets, without an enhanced one (RFC 2034, 3). */
	s->ws->reply.code = 220;
	s->ws->reply.enhanced[0] = '\0';
}
