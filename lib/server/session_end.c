/* SPDX-License-Identifier: MIT */
#include "server/session_end.h"

#include "base/text.h"
#include "server/answer.h"

/* What a lost client means. */
struct loss {
	enum smtpd_close why;
	enum smtpd_counter counter;
	enum smtpd_reply_key reply;
};

#define NO_COUNT SMTPD_COUNTER_NONE
#define NO_REPLY SMTPD_REPLY_NONE

static const struct loss in_command[] = {
	[SMTPD_IO_OK] = { SMTPD_CLOSE_GONE, NO_COUNT, NO_REPLY },
	[SMTPD_IO_CLOSED] = { SMTPD_CLOSE_GONE, NO_COUNT, NO_REPLY },
	[SMTPD_IO_TIMEOUT] = { SMTPD_CLOSE_TIMEOUT, SMTPD_COUNTER_TIMEOUTS,
	    SMTPD_REPLY_TIMEOUT },
	[SMTPD_IO_INTERRUPTED] = { SMTPD_CLOSE_DRAINED, NO_COUNT,
	    SMTPD_REPLY_SHUTTING_DOWN },
	[SMTPD_IO_FLOOD] = { SMTPD_CLOSE_REFUSED, SMTPD_COUNTER_REFUSED_SYNTAX,
	    SMTPD_REPLY_LINE_ENDLESS },
	[SMTPD_IO_TLS] = { SMTPD_CLOSE_REFUSED, SMTPD_COUNTER_REFUSED_PROTOCOL,
	    NO_REPLY },
	[SMTPD_IO_ERROR] = { SMTPD_CLOSE_ERROR, SMTPD_COUNTER_ERRORS,
	    NO_REPLY },
};

static const struct loss in_message[] = {
	[SMTPD_IO_OK] = { SMTPD_CLOSE_GONE, NO_COUNT, NO_REPLY },
	[SMTPD_IO_CLOSED] = { SMTPD_CLOSE_GONE, NO_COUNT, NO_REPLY },
	[SMTPD_IO_TIMEOUT] = { SMTPD_CLOSE_TIMEOUT, SMTPD_COUNTER_TIMEOUTS,
	    SMTPD_REPLY_MESSAGE_SLOW },
	[SMTPD_IO_INTERRUPTED] = { SMTPD_CLOSE_DRAINED,
	    SMTPD_COUNTER_MESSAGES_REFUSED, SMTPD_REPLY_SHUTTING_DOWN },
	[SMTPD_IO_FLOOD] = { SMTPD_CLOSE_REFUSED, SMTPD_COUNTER_REFUSED_SIZE,
	    SMTPD_REPLY_MESSAGE_ENDLESS },
	[SMTPD_IO_TLS] = { SMTPD_CLOSE_REFUSED, SMTPD_COUNTER_REFUSED_PROTOCOL,
	    NO_REPLY },
	[SMTPD_IO_ERROR] = { SMTPD_CLOSE_ERROR, SMTPD_COUNTER_ERRORS,
	    NO_REPLY },
};

/* Before TLS, or the header of a proxy, nothing is said; failures of TLS have a
 * counter of their own besides. */
static const struct loss in_silence[] = {
	[SMTPD_IO_OK] = { SMTPD_CLOSE_REFUSED, NO_COUNT, NO_REPLY },
	[SMTPD_IO_CLOSED] = { SMTPD_CLOSE_GONE, NO_COUNT, NO_REPLY },
	[SMTPD_IO_TIMEOUT] = { SMTPD_CLOSE_TIMEOUT, SMTPD_COUNTER_TIMEOUTS,
	    NO_REPLY },
	[SMTPD_IO_INTERRUPTED] = { SMTPD_CLOSE_DRAINED, NO_COUNT, NO_REPLY },
	[SMTPD_IO_FLOOD] = { SMTPD_CLOSE_REFUSED, NO_COUNT, NO_REPLY },
	[SMTPD_IO_TLS] = { SMTPD_CLOSE_REFUSED, NO_COUNT, NO_REPLY },
	[SMTPD_IO_ERROR] = { SMTPD_CLOSE_ERROR, NO_COUNT, NO_REPLY },
};

static const struct loss *const losses[] = {
	[SMTPD_PHASE_COMMAND] = in_command,
	[SMTPD_PHASE_MESSAGE] = in_message,
	[SMTPD_PHASE_HANDSHAKE] = in_silence,
	[SMTPD_PHASE_PROXY] = in_silence,
};

/* Another connection needs its place. */
static const struct loss eviction = { SMTPD_CLOSE_TIMEOUT,
	SMTPD_COUNTER_TIMEOUTS, SMTPD_REPLY_TOO_BUSY };

void
smtpd__session_end_lose(struct smtpd_session *s, enum smtpd_io_status status)
{
	const struct loss *loss = &losses[s->phase][status];
	const bool silent = losses[s->phase] == in_silence;

	if (status == SMTPD_IO_INTERRUPTED && s->evicted)
		loss = &eviction;
	if (status == SMTPD_IO_TLS && s->phase != SMTPD_PHASE_HANDSHAKE)
		smtpd__session_end_log(s, "no TLS", "the client broke it");
	/* The reply that a handler has set was to something whole. */
	s->ws->reply.code = 0;
	if (loss->reply != NO_REPLY && !silent)
		smtpd__answer_refuse(s, loss->counter, loss->reply, NULL);
	else
		smtpd__session_count(s, loss->counter);
	smtpd__session_close(s, loss->why);
}

void
smtpd__session_end_check_output(struct smtpd_session *s)
{
	const struct loss *loss = &in_command[s->stream.out_status];

	if (s->stream.out_status == SMTPD_IO_OK || s->closing)
		return;
	smtpd__session_count(s, loss->counter);
	smtpd__session_close(s, loss->why);
}

void
smtpd__session_end_log(
    const struct smtpd_session *s, const char *lack, const char *reason)
{
	char text[SMTPD_ERROR_TEXT_SIZE + 32], value[2 * sizeof(text)];
	struct smtpd_text t;

	smtpd__text_init(&t, text, sizeof(text));
	smtpd__text_format(&t, "%s: %s", lack, reason);
	smtpd__logger_write(&s->config->logger, SMTPD_LOG_INFO,
	    "refused session=%llu peer=%s reason=%s", (unsigned long long)s->id,
	    s->peer_text, smtpd__text_quoted(text, value, sizeof(value)));
}

bool
smtpd__session_end_goodbye(struct smtpd_session *s)
{
	if (s->why == SMTPD_CLOSE_QUIT || s->silent)
		smtpd__stream_close(&s->stream);
	else if (s->why == SMTPD_CLOSE_GONE)
		smtpd__session_count(s, SMTPD_COUNTER_DISCONNECTS);
	else
		return smtpd__stream_linger(&s->stream);
	return true;
}
