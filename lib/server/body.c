/* SPDX-License-Identifier: MIT */
#include "server/body.h"

#include <string.h>

#include "os/clock.h"

/* Of a message that is too large, this many times the limit is read before
 * the session is closed (RFC 1870, 6.3). */
#define DRAIN_FACTOR 2

void
smtpd__body_init(struct smtpd_body *b, struct smtpd_session *s)
{
	const struct smtpd_settings *settings = &s->config->settings;

	memset(b, 0, sizeof(*b));
	b->s = s;
	smtpd__dot_init(&b->dot, settings->max_text_line);
	smtpd__hops_init(&b->hops);
	b->window_end =
	    smtpd__clock_after(s->stream.wire.now, settings->rate_window_ms);
}

/*
 * At the end of a window: whether it brought enough.  A new one begins.
 */
static bool
keeps_rate(struct smtpd_body *b)
{
	const struct smtpd_settings *settings = &b->s->config->settings;
	uint64_t now = b->s->stream.wire.now;
	uint64_t needed =
	    (uint64_t)settings->min_rate * settings->rate_window_ms / 1000;
	uint64_t came = b->octets - b->window_octets;

	if (now < b->window_end)
		return true;
	b->window_octets = b->octets;
	b->window_end = smtpd__clock_after(now, settings->rate_window_ms);
	return settings->min_rate == SMTPD_NO_LIMIT || came >= needed;
}

/* More input, within all deadlines and not too slowly. */
static enum smtpd_io_status
fill(struct smtpd_body *b)
{
	struct smtpd_stream *st = &b->s->stream;
	uint64_t idle_end;
	enum smtpd_io_status status;

	idle_end = smtpd__clock_after(smtpd__clock_ms(), st->idle_ms);
	do {
		status = smtpd__stream_fill(st, b->window_end);
		if (!keeps_rate(b))
			return SMTPD_IO_TIMEOUT;
	} while (status == SMTPD_IO_TIMEOUT && st->wire.now < idle_end &&
	    st->wire.now < st->deadline);
	return status;
}

static bool
is_over(uint64_t octets, uint64_t limit, unsigned factor)
{
	return limit != SMTPD_NO_SIZE_LIMIT && octets / factor > limit;
}

/* The first fault that the message has shown so far. */
static enum smtpd_body_fault
find_fault(const struct smtpd_body *b)
{
	const struct smtpd_settings *settings = &b->s->config->settings;
	unsigned found = b->dot.found;

	if (is_over(b->dot.decoded, settings->max_message_size, 1))
		return SMTPD_BODY_TOO_LARGE;
	if ((found & SMTPD_DOT_BARE_CR) != 0)
		return SMTPD_BODY_BARE_CR;
	if ((found & SMTPD_DOT_BARE_LF) != 0 &&
	    settings->bare_lf == SMTPD_TREAT_REFUSE)
		return SMTPD_BODY_BARE_LF;
	if ((found & SMTPD_DOT_NUL) != 0 && settings->nul == SMTPD_TREAT_REFUSE)
		return SMTPD_BODY_NUL;
	if ((found & SMTPD_DOT_LONG_LINE) != 0)
		return SMTPD_BODY_LONG_LINE;
	if (settings->max_hops != SMTPD_NO_LIMIT &&
	    b->hops.count >= settings->max_hops)
		return SMTPD_BODY_LOOP;
	return SMTPD_BODY_OK;
}

/*
 * Decode what the input holds, filling it first if it is empty.  Return the
 * number of bytes put into OUT; nothing may be put although all is well.
 */
static size_t
decode(struct smtpd_body *b, char *out, size_t size)
{
	struct smtpd_stream *st = &b->s->stream;
	size_t len, before, made;
	const char *in = smtpd__stream_peek(st, &len);

	if (len == 0) {
		b->status = fill(b);
		if (b->status != SMTPD_IO_OK)
			return 0;
		in = smtpd__stream_peek(st, &len);
	}
	before = len;
	made = smtpd__dot_decode(&b->dot, &in, &len, out, size);
	smtpd__stream_take(st, before - len);
	b->octets += before - len;
	if (out != NULL)
		smtpd__hops_feed(&b->hops, out, made);
	if (b->fault == SMTPD_BODY_OK)
		b->fault = find_fault(b);
	return made;
}

/* Whether there is nothing more to give to a reader. */
static bool
is_over_for_reader(const struct smtpd_body *b)
{
	return b->dot.done || b->fault != SMTPD_BODY_OK ||
	    b->status != SMTPD_IO_OK;
}

static ssize_t
read_small(struct smtpd_body *b, char *buf, size_t size)
{
	size_t n = b->small_end - b->small_at;

	if (n > size)
		n = size;
	memcpy(buf, b->small + b->small_at, n);
	b->small_at += n;
	return (ssize_t)n;
}

ssize_t
smtpd_body_read(struct smtpd_body *b, void *buf, size_t size)
{
	bool direct = size >= sizeof(b->small);
	size_t made = 0;

	if (b->small_at < b->small_end)
		return read_small(b, buf, size);
	while (made == 0 && !is_over_for_reader(b))
		made = decode(b, direct ? buf : b->small,
		    direct ? size : sizeof(b->small));
	if (b->fault != SMTPD_BODY_OK || b->status != SMTPD_IO_OK)
		return -1;
	if (direct)
		return (ssize_t)made;
	b->small_at = 0;
	b->small_end = made;
	return read_small(b, buf, size);
}

bool
smtpd__body_finish(struct smtpd_body *b)
{
	uint64_t limit = b->s->config->settings.max_message_size;
	char dropped[1024];

	while (!b->dot.done && b->status == SMTPD_IO_OK) {
		/* Once it is refused nobody counts its hops. */
		bool look = b->fault == SMTPD_BODY_OK && !b->hops.done;

		if (is_over(b->octets, limit, DRAIN_FACTOR))
			b->status = SMTPD_IO_FLOOD;
		else
			decode(b, look ? dropped : NULL,
			    look ? sizeof(dropped) : 0);
	}
	return b->status == SMTPD_IO_OK;
}

void
smtpd__body_refuse(struct smtpd_body *b)
{
	struct smtpd_session *s = b->s;
	const size_t content = SMTPD_COUNT(refused_content);

	switch (b->fault) {
	case SMTPD_BODY_OK:
		break;
	case SMTPD_BODY_TOO_LARGE:
		smtpd__session_refuse(s, SMTPD_COUNT(refused_size), 552,
		    "5.3.4", "message larger than %llu octets",
		    (unsigned long long)s->config->settings.max_message_size);
		break;
	case SMTPD_BODY_BARE_CR:
		smtpd__session_refuse(s, content, 550, "5.5.2",
		    "message holds a CR that no LF follows");
		break;
	case SMTPD_BODY_BARE_LF:
		smtpd__session_refuse(s, content, 550, "5.5.2",
		    "message holds an LF without CR before it");
		break;
	case SMTPD_BODY_NUL:
		smtpd__session_refuse(
		    s, content, 550, "5.6.0", "message holds a NUL byte");
		break;
	case SMTPD_BODY_LONG_LINE:
		smtpd__session_refuse(s, content, 554, "5.6.0",
		    "message holds a line over %u octets",
		    s->config->settings.max_text_line);
		break;
	case SMTPD_BODY_LOOP:
		smtpd__session_refuse(s, content, 554, "5.4.6",
		    "message was received too often, it goes in a loop");
		break;
	}
}
