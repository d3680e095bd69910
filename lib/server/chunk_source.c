/* SPDX-License-Identifier: MIT */
#include "server/chunk_source.h"

#include <string.h>

#include "base/container.h"
#include "base/text.h"
#include "grammar/command.h"
#include "server/answer.h"
#include "server/command_log.h"
#include "server/line_input.h"

/* A command that belongs to a message, behind one of its chunks. */
struct inner_command {
	bool is_chunk; /* else it is NOOP */
	struct smtpd_chunk chunk;
};

static void
begin_chunk(struct smtpd_chunk_source *c, const struct smtpd_chunk *chunk)
{
	uint64_t announced = c->source.announced;

	c->chunk = *chunk;
	c->left = chunk->size;
	c->source.announced = chunk->size > UINT64_MAX - announced
	    ? UINT64_MAX
	    : announced + chunk->size;
}

/* The next line with its end, or as much as no line may have: *LEN bytes, which
 * are not taken.  NULL when the input failed. */
static const char *
peek_line(struct smtpd_body_input *in, size_t *len)
{
	size_t max = in->s->config->settings.max_command_line;

	for (;;) {
		const char *at = smtpd__stream_peek(&in->s->stream, len);
		const char *lf = memchr(at, '\n', *len);

		if (lf != NULL)
			*len = (size_t)(lf - at) + 1;
		if (lf != NULL || *len >= max)
			return at;
		if (!smtpd__body_input_wait(in))
			return NULL;
	}
}

/* Read the line of LEN bytes at LINE.  Return false when it is no command that
 * may stand between two chunks. */
static bool
parse_inner(const struct smtpd_settings *settings, const char *line, size_t len,
    struct inner_command *out)
{
	struct smtpd_command_line parsed;
	bool crlf = len >= 2 && line[len - 2] == '\r';

	if (len > settings->max_command_line || line[len - 1] != '\n' ||
	    (!crlf && (settings->flags & SMTPD_FLAG_BARE_LF_COMMANDS) == 0))
		return false;
	if (smtpd__command_parse(line, len - (crlf ? 2 : 1), &parsed) == -1)
		return false;
	out->is_chunk = strcmp(parsed.verb, "BDAT") == 0;
	if (out->is_chunk)
		return smtpd__chunk_parse(
			   parsed.argument, parsed.len, &out->chunk) == 0;
	return strcmp(parsed.verb, "NOOP") == 0;
}

/* Too many commands that bring the message no further give it up. */
static bool
is_welcome(struct smtpd_session *s, const struct inner_command *inner)
{
	bool brings =
	    inner->is_chunk && (inner->chunk.size > 0 || inner->chunk.last);

	return brings || !smtpd__answer_is_idle(s);
}

/* Take the line that was found to be a command, and log it. */
static void
take_line(struct smtpd_session *s)
{
	size_t len;
	char *line;

	if (smtpd__line_input_read(s, s->config->settings.max_command_line,
		SMTPD_REPLY_LINE_TOO_LONG, &line, &len) == 0)
		smtpd__command_log_write(s, line, false);
}

/* Wait for the command behind a chunk, and take it if it belongs to the
 * message.  Return false if there is none. */
static bool
read_inner(struct smtpd_chunk_source *c, struct inner_command *out)
{
	struct smtpd_session *s = c->in->s;
	size_t len;
	const char *line = peek_line(c->in, &len);

	if (line == NULL)
		return false;
	if (!parse_inner(&s->config->settings, line, len, out) ||
	    !is_welcome(s, out))
		return false;
	take_line(s);
	return true;
}

/* Answer the chunk that is over, and begin the next one.  Return 0, or -1 when
 * there is none. */
static int
continue_message(struct smtpd_chunk_source *c)
{
	struct smtpd_session *s = c->in->s;
	struct inner_command inner;
	char number[24];
	struct smtpd_text t;

	smtpd__text_init(&t, number, sizeof(number));
	smtpd__text_number(&t, c->chunk.size);
	smtpd__answer_send_aside(s, SMTPD_REPLY_CHUNK, number);
	while (read_inner(c, &inner)) {
		if (inner.is_chunk) {
			begin_chunk(c, &inner.chunk);
			return 0;
		}
		smtpd__answer_send_aside(s, SMTPD_REPLY_OK, NULL);
	}
	c->cut = true;
	return -1;
}

/* End the chunk, and with it perhaps the message, whose last bytes go to BUF.
 * Return their number, or -1. */
static ssize_t
end_chunk(struct smtpd_chunk_source *c, char *buf)
{
	size_t made = 0;

	if (!c->chunk.last && (!c->source.refused || c->to_the_last))
		return continue_message(c);
	if (c->chunk.last)
		made = smtpd__line_scan_end(&c->lines, buf);
	c->source.found = c->lines.found;
	c->done = true;
	return (ssize_t)made;
}

/* Decode *LEN octets at *IN as far as there is room in BUF of SIZE bytes (NULL:
 * drop them), and move both past them.  Return the number of bytes. */
static size_t
decode_octets(struct smtpd_chunk_source *c, const char **in, size_t *len,
    char *buf, size_t size)
{
	size_t n = buf == NULL || *len < size ? *len : size;

	if (!c->binary)
		return smtpd__line_scan_block(&c->lines, in, len, buf, size);
	if (buf != NULL)
		memcpy(buf, *in, n);
	*in += n;
	*len -= n;
	return n;
}

/* Read of the chunk what the input holds into BUF of SIZE bytes (NULL: drop
 * it).  Return the number of bytes, which may be 0 before the end, or -1. */
static ssize_t
read_block(struct smtpd_chunk_source *c, char *buf, size_t size)
{
	size_t len, before, made;
	const char *at = smtpd__body_input_peek(c->in, &len);

	if (at == NULL)
		return -1;
	if (len > c->left)
		len = (size_t)c->left;
	before = len;
	made = decode_octets(c, &at, &len, buf, size);
	smtpd__body_input_take(c->in, before - len);
	c->left -= before - len;
	c->source.found = c->lines.found;
	return (ssize_t)made;
}

static ssize_t
read_chunks(struct smtpd_body_source *src, char *buf, size_t size)
{
	struct smtpd_chunk_source *c =
	    SMTPD_CONTAINER_OF(src, struct smtpd_chunk_source, source);
	ssize_t n = c->cut ? -1 : 0;

	while (n == 0 && !c->done)
		n = c->left > 0 ? read_block(c, buf, size) : end_chunk(c, buf);
	return n;
}

static bool
finish_chunks(struct smtpd_body_source *src)
{
	struct smtpd_chunk_source *c =
	    SMTPD_CONTAINER_OF(src, struct smtpd_chunk_source, source);
	char rest[SMTPD_LINE_SCAN_STEP_MAX];
	ssize_t n = c->cut ? -1 : 0;

	while (n != -1 && !c->done)
		n = c->left > 0 ? read_block(c, NULL, 0) : end_chunk(c, rest);
	return n != -1;
}

void
smtpd__chunk_source_init(struct smtpd_chunk_source *c,
    struct smtpd_body_input *in, const struct smtpd_chunk *chunk)
{
	const struct smtpd_session *s = in->s;

	*c = (struct smtpd_chunk_source){
		.source = { .read = read_chunks, .finish = finish_chunks },
		.in = in,
		.binary = s->envelope.encoding == SMTPD_ENCODING_BINARYMIME,
		.to_the_last = s->lmtp && s->open,
	};
	smtpd__line_scan_init(&c->lines, s->config->settings.max_text_line);
	begin_chunk(c, chunk);
}
