/* SPDX-License-Identifier: MIT */
#include "client/data.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "client/ahead.h"
#include "client/content.h"
#include "client/exchange.h"
#include "client/result.h"
#include "grammar/dot_encode.h"
#include "os/clock.h"

/* Octets of the content that are read at a time. */
#define BLOCK_SIZE 16384

/* Octets of a chunk of BDAT: few messages need more than one, and each but the
 * last costs the time of a reply. */
#define CHUNK_SIZE ((size_t)1 << 20)

/* What each block of output that was sent adds to the patience with the server:
 * a second for each KiB. */
#define BLOCK_MS (SMTPD_STREAM_OUT_SIZE / 1024 * 1000)

/* How long a reply that came too early is looked for. */
#define EARLY_MS 1000

struct source {
	struct smtpd_client_content content;
	char block[BLOCK_SIZE];
};

struct chunk {
	struct source source;
	struct smtpd_dot_encoder encoder;
	const char *at; /* what is not encoded yet of the block */
	size_t left;
	bool last;
	size_t len;
	char text[CHUNK_SIZE];
};

/*
 * The content could not be written.  A server that does not want it may have
 * refused it and closed (RFC 5321, 4.2.5 wants it to wait): prefer its reply as
 * the reason.
 */
static int
end_broken(struct smtpd_client *c, enum smtpd_io_status status)
{
	/* What went with commands may have reached it. */
	const enum smtpd_phase phase =
	    c->ahead.given != NULL && status != SMTPD_IO_INTERRUPTED
	    ? SMTPD_PHASE_DOT
	    : SMTPD_PHASE_DATA;
	uint32_t ms = status == SMTPD_IO_INTERRUPTED ? 0 : EARLY_MS;
	int saved = errno;

	if (ms > 0 && smtpd__stream_talks(&c->stream, ms)) {
		int code =
		    smtpd__client_exchange_read_reply(c, phase, ms, NULL);

		if (code > 0 && code / 100 >= 4)
			return smtpd__client_exchange_refused(c, phase);
	}
	if (c->fd < 0)
		return -1;
	errno = saved;
	return smtpd__client_exchange_broken(c, phase, status);
}

static int
flush_output(struct smtpd_client *c)
{
	struct smtpd_wire *wire = &c->stream.wire;
	enum smtpd_io_status status = smtpd_cancel_is_triggered(c->set.cancel)
	    ? SMTPD_IO_INTERRUPTED
	    : smtpd__stream_flush(&c->stream);

	wire->budget_ms = smtpd__clock_later(wire->budget_ms, BLOCK_MS);
	return status == SMTPD_IO_OK ? 0 : end_broken(c, status);
}

static int
send_block(struct smtpd_client *c, struct smtpd_dot_encoder *e, const char *in,
    size_t len)
{
	struct smtpd_stream *st = &c->stream;

	while (len > 0) {
		size_t room = SMTPD_STREAM_OUT_SIZE - st->out_len;

		/* The end of the message always finds room. */
		if (room > SMTPD_DOT_END_MAX + SMTPD_DOT_ROOM_MIN) {
			smtpd__stream_put(st,
			    smtpd__dot_encode(e, &in, &len,
				st->out_buf + st->out_len,
				room - SMTPD_DOT_END_MAX));
			continue;
		}
		if (flush_output(c) != 0)
			return -1;
	}
	return 0;
}

static int
send_all(struct smtpd_client *c, struct source *s, smtpd_data_end_fn *at_end,
    void *user)
{
	struct smtpd_dot_encoder e = { 0 };
	struct smtpd_stream *st = &c->stream;
	ssize_t n;

	while ((n = smtpd__client_content_read(
		    &s->content, s->block, BLOCK_SIZE)) > 0)
		if (send_block(c, &e, s->block, (size_t)n) != 0)
			return -1;
	if (n < 0)
		return smtpd__client_exchange_fail(
		    c, SMTPD_PHASE_DATA, "4.3.0", "the message cannot be read");
	if (SMTPD_STREAM_OUT_SIZE - st->out_len <
		SMTPD_AHEAD_ROOM + SMTPD_DOT_END_MAX &&
	    flush_output(c) != 0)
		return -1;
	smtpd__stream_put(
	    st, smtpd__dot_encode_end(&e, st->out_buf + st->out_len));
	return at_end(user) == 0 ? flush_output(c) : -1;
}

int
smtpd__client_data_send(struct smtpd_client *c, const struct smtpd_outgoing *m,
    smtpd_data_end_fn *at_end, void *user)
{
	struct source *s;
	int result;

	if (smtpd__client_exchange_check_step(c, SMTPD_PHASE_DATA) == -1)
		return -1;
	s = malloc(sizeof(*s));
	if (s == NULL)
		return smtpd__client_exchange_fail(
		    c, SMTPD_PHASE_DATA, "4.3.0", "out of memory");
	smtpd__client_content_begin(&s->content, m);
	c->stream.wire.write_ms = c->set.block_ms;
	result = send_all(c, s, at_end, user);
	free(s);
	return result;
}

/* Encode what makes up the next chunk.  Return -1 when it cannot be read. */
static int
fill_chunk(struct chunk *k)
{
	k->len = 0;
	while (CHUNK_SIZE - k->len >= SMTPD_DOT_ROOM_MIN) {
		char *out = k->text + k->len;
		ssize_t n = 0;

		if (k->left == 0)
			n = smtpd__client_content_read(
			    &k->source.content, k->source.block, BLOCK_SIZE);
		if (n < 0)
			return -1;
		if (n > 0) {
			k->at = k->source.block;
			k->left = (size_t)n;
		}
		k->last = k->left == 0;
		if (k->last) {
			k->len += smtpd__dot_encode_end(&k->encoder, out);
			return 0;
		}
		k->len += smtpd__dot_encode(
		    &k->encoder, &k->at, &k->left, out, CHUNK_SIZE - k->len);
	}
	return 0;
}

static int
send_chunk(struct smtpd_client *c, const struct chunk *k,
    smtpd_data_end_fn *at_end, void *user)
{
	const size_t most = SMTPD_STREAM_OUT_SIZE - SMTPD_AHEAD_ROOM;
	struct smtpd_stream *st = &c->stream;

	c->stream.wire.write_ms = c->set.block_ms;
	if (smtpd__client_exchange_write(c, SMTPD_PHASE_DATA, "BDAT %zu%s",
		k->len, k->last ? " LAST" : "") == 0)
		return -1;
	for (size_t at = 0, n; at < k->len; at += n) {
		n = most - st->out_len;
		if (n > k->len - at)
			n = k->len - at;
		memcpy(st->out_buf + st->out_len, k->text + at, n);
		smtpd__stream_put(st, n);
		if (at + n < k->len && flush_output(c) != 0)
			return -1;
	}
	return !k->last || at_end(user) == 0 ? flush_output(c) : -1;
}

/*
 * The last chunk waits for the replies to all others: if one of them was
 * refused, a server that forgets about it cannot take the rest for the message.
 */
static int
send_chunks(struct smtpd_client *c, struct chunk *k, smtpd_data_end_fn *at_end,
    void *user, struct smtpd_result *result)
{
	for (;;) {
		enum smtpd_phase phase;
		int code;

		if (fill_chunk(k) != 0) {
			smtpd__result_set(result, SMTPD_OUTCOME_TEMPORARY,
			    SMTPD_PHASE_DATA, "4.3.0",
			    "the message cannot be read");
			return 0;
		}
		if (send_chunk(c, k, at_end, user) != 0)
			return -1;
		phase = k->last ? SMTPD_PHASE_DOT : SMTPD_PHASE_DATA;
		code = smtpd__client_exchange_read_reply(
		    c, phase, k->last ? c->set.dot_ms : c->set.block_ms, NULL);
		if (code < 0)
			return -1;
		if (code / 100 == 3)
			return smtpd__client_exchange_refused(c, phase);
		smtpd__client_exchange_judge(c, phase, result);
		if (k->last || result->outcome != SMTPD_OUTCOME_SENT)
			return 0;
	}
}

int
smtpd__client_data_chunks(struct smtpd_client *c,
    const struct smtpd_outgoing *m, smtpd_data_end_fn *at_end, void *user,
    struct smtpd_result *result)
{
	struct chunk *k = malloc(sizeof(*k));
	int status;

	if (k == NULL) {
		smtpd__result_set(result, SMTPD_OUTCOME_TEMPORARY,
		    SMTPD_PHASE_DATA, "4.3.0", "out of memory");
		return 0;
	}
	smtpd__client_content_begin(&k->source.content, m);
	k->encoder = (struct smtpd_dot_encoder){ .no_dots = true };
	k->left = 0;
	status = send_chunks(c, k, at_end, user, result);
	free(k);
	return status;
}

void
smtpd__client_data_none(struct smtpd_client *c)
{
	struct smtpd_dot_encoder e = { 0 };
	char *at = smtpd__stream_room(&c->stream, SMTPD_DOT_END_MAX);

	if (at != NULL)
		smtpd__stream_put(&c->stream, smtpd__dot_encode_end(&e, at));
}
