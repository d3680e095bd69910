/* SPDX-License-Identifier: MIT */
#include "server/body_input.h"

#include <string.h>

#include "os/clock.h"

/* An oversized message is drained up to this multiple of the limit; then the
 * session is closed (RFC 1870, 6.3). */
#define DRAIN_FACTOR 2

void
smtpd__body_input_init(struct smtpd_body_input *in, struct smtpd_session *s)
{
	memset(in, 0, sizeof(*in));
	in->s = s;
}

/* Octets pay for time that was waited; those of a fast time do not pay for a
 * slow one that follows. */
static void
pay_debt(struct smtpd_body_input *in)
{
	in->debt -= smtpd__clock_earlier(in->debt, in->unpaid * 1000);
	in->unpaid = 0;
}

/*
 * How long to wait until the client is too slow: until it has fallen behind
 * the minimum rate by as long as a silence may last, or a window.  So silence
 * alone is judged by idle_timeout_ms.
 */
static uint64_t
rate_left(const struct smtpd_body_input *in)
{
	const struct smtpd_settings *settings = &in->s->config->settings;
	uint64_t grace = settings->idle_timeout_ms > settings->rate_window_ms
	    ? settings->idle_timeout_ms
	    : settings->rate_window_ms;
	uint64_t behind;

	if (settings->min_rate == SMTPD_NO_LIMIT || grace == SMTPD_NO_TIMEOUT)
		return SMTPD_NEVER;
	behind = in->debt / settings->min_rate;
	return behind < grace ? grace - behind : 0;
}

/* How long the session may last: beyond its own limit as long as the message
 * as a whole keeps the minimum rate. */
static uint64_t
session_left(const struct smtpd_body_input *in)
{
	uint32_t min_rate = in->s->config->settings.min_rate;
	uint64_t left = smtpd__wire_budget_left(&in->s->stream.wire);
	uint64_t paid;

	if (min_rate == SMTPD_NO_LIMIT)
		return left;
	paid = in->octets * 1000 / min_rate;
	if (paid > in->waited_ms && paid - in->waited_ms > left)
		left = paid - in->waited_ms;
	return left;
}

/* Wait for more input, within all deadlines and not too slowly.  Only the time
 * of the wait itself is charged to the client. */
static enum smtpd_io_status
fill_stream(struct smtpd_body_input *in)
{
	const struct smtpd_settings *settings = &in->s->config->settings;
	struct smtpd_stream *st = &in->s->stream;
	enum smtpd_io_status status = smtpd__stream_flush(st);
	uint64_t before = st->wire.waited_ms;
	uint64_t span;

	if (status != SMTPD_IO_OK)
		return status;
	pay_debt(in);
	span = smtpd__clock_span(settings->idle_timeout_ms);
	span = smtpd__clock_earlier(span, rate_left(in));
	span = smtpd__clock_earlier(span, session_left(in));
	status = smtpd__stream_fill(st, span);
	in->waited_ms += st->wire.waited_ms - before;
	if (settings->min_rate != SMTPD_NO_LIMIT)
		in->debt += (st->wire.waited_ms - before) * settings->min_rate;
	return status;
}

bool
smtpd__body_input_wait(struct smtpd_body_input *in)
{
	if (in->status == SMTPD_IO_OK)
		in->status = fill_stream(in);
	return in->status == SMTPD_IO_OK;
}

const char *
smtpd__body_input_peek(struct smtpd_body_input *in, size_t *len)
{
	uint64_t limit = in->s->config->settings.max_message_size;
	const char *at;

	if (in->status != SMTPD_IO_OK)
		return NULL;
	if (limit != SMTPD_NO_SIZE_LIMIT && in->octets / DRAIN_FACTOR > limit) {
		in->status = SMTPD_IO_FLOOD;
		return NULL;
	}
	at = smtpd__stream_peek(&in->s->stream, len);
	if (*len > 0)
		return at;
	if (!smtpd__body_input_wait(in))
		return NULL;
	return smtpd__stream_peek(&in->s->stream, len);
}

void
smtpd__body_input_take(struct smtpd_body_input *in, size_t len)
{
	smtpd__stream_take(&in->s->stream, len);
	in->octets += len;
	in->unpaid += len;
}
