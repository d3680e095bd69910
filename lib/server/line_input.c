/* SPDX-License-Identifier: MIT */
#include "server/line_input.h"

#include "server/answer.h"
#include "server/session_end.h"

#define SYNTAX SMTPD_COUNTER_REFUSED_SYNTAX

/* Refuse a line that a bare LF ends, and all that may follow it. */
static void
refuse_bare_lf(struct smtpd_session *s)
{
	smtpd__answer_refuse(s, SYNTAX, SMTPD_REPLY_BARE_LF_COMMAND, NULL);
	smtpd__session_close(s, SMTPD_CLOSE_REFUSED);
}

int
smtpd__line_input_read(struct smtpd_session *s, uint32_t max,
    enum smtpd_reply_key too_long, char **text, size_t *len)
{
	const struct smtpd_settings *settings = &s->config->settings;
	enum smtpd_line_end end;
	enum smtpd_io_status status = smtpd__stream_line(
	    &s->stream, max, settings->command_timeout_ms, text, len, &end);

	if (status == SMTPD_IO_REST)
		return 1;
	if (status != SMTPD_IO_OK) {
		smtpd__session_end_lose(s, status);
		return -1;
	}
	smtpd__session_count(s, SMTPD_COUNTER_COMMANDS);
	switch (end) {
	case SMTPD_LINE_END_BINARY:
		smtpd__answer_cut_off(s, SMTPD_REPLY_NOT_SMTP);
		return -1;
	case SMTPD_LINE_END_TOO_LONG:
		smtpd__answer_refuse_limit(s, SYNTAX, too_long, max);
		return -1;
	case SMTPD_LINE_END_BARE_LF:
		if ((settings->flags & SMTPD_FLAG_BARE_LF_COMMANDS) != 0)
			return 0;
		refuse_bare_lf(s);
		return -1;
	case SMTPD_LINE_END_CRLF:
		break;
	}
	return 0;
}
