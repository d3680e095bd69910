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
	in->window_end = smtpd__clock_after(
	    s->stream.wire.now, s->config->settings.rate_window_ms);
}

/* At the end of a window, check whether it brought enough, and begin a new
 * one. */
static bool
keeps_rate(struct smtpd_body_input *in)
{
	const struct smtpd_settings *settings = &in->s->config->settings;
	uint64_t now = in->s->stream.wire.now;
	uint64_t needed =
	    (uint64_t)settings->min_rate * settings->rate_window_ms / 1000;
	uint64_t came = in->octets - in->window_octets;

	if (now < in->window_end)
		return true;
	in->window_octets = in->octets;
	in->window_end = smtpd__clock_after(now, settings->rate_window_ms);
	return settings->min_rate == SMTPD_NO_LIMIT || came >= needed;
}

/* Wait for more input, within all deadlines and not too slowly. */
static enum smtpd_io_status
fill_stream(struct smtpd_body_input *in)
{
	struct smtpd_stream *st = &in->s->stream;
	uint64_t idle_end;
	enum smtpd_io_status status;

	idle_end = smtpd__clock_after(smtpd__clock_ms(), st->idle_ms);
	do {
		status = smtpd__stream_fill(st, in->window_end);
		if (!keeps_rate(in))
			return SMTPD_IO_TIMEOUT;
	} while (status == SMTPD_IO_TIMEOUT && st->wire.now < idle_end &&
	    st->wire.now < st->deadline);
	return status;
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
	in->status = fill_stream(in);
	if (in->status != SMTPD_IO_OK)
		return NULL;
	return smtpd__stream_peek(&in->s->stream, len);
}

void
smtpd__body_input_take(struct smtpd_body_input *in, size_t len)
{
	smtpd__stream_take(&in->s->stream, len);
	in->octets += len;
}
