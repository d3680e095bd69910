/* SPDX-License-Identifier: MIT */
#include "client/convert.h"

#include <stdlib.h>
#include <string.h>

#include "client/content.h"
#include "client/result.h"
#include "grammar/dot_encode.h"
#include "grammar/mime_convert.h"

/* Octets that are read at a time, and room for what they become: quoted, each
 * is three; a header may become a dozen times as long; more comes from what was
 * kept back. */
#define PIECE_SIZE 1024
#define OUT_SIZE   ((size_t)32 * 1024)

struct smtpd_client_convert {
	struct smtpd_outgoing original;
	struct smtpd_client_content content;
	struct smtpd_dot_encoder lines; /* makes line ends CRLF */
	bool over;                      /* all of it was read */
	uint64_t length;
	size_t out_at, out_len;
	char out[OUT_SIZE];
	struct smtpd_mime_plan plan;
	union {
		struct smtpd_mime_planner planner;
		struct smtpd_mime_convert convert;
	};
};

/* Read the next piece, with its line ends made CRLF, into OUT.  Return its
 * length, 0 at the end, -1 when it cannot be read. */
static ssize_t
read_lines(struct smtpd_client_convert *c,
    char out[2 * PIECE_SIZE + SMTPD_DOT_END_MAX])
{
	char piece[PIECE_SIZE];
	const char *in = piece;
	size_t len, n = 0;

	/* A LF alone may be the rest of a CRLF, and nothing is left of it. */
	while (n == 0 && !c->over) {
		ssize_t got = smtpd__client_content_read(
		    &c->content, piece, sizeof(piece));

		if (got < 0)
			return -1;
		c->over = got == 0;
		in = piece;
		len = (size_t)got;
		n = c->over ? smtpd__dot_encode_end(&c->lines, out)
			    : smtpd__dot_encode(&c->lines, &in, &len, out,
				  2 * PIECE_SIZE + SMTPD_DOT_END_MAX);
	}
	return (ssize_t)n;
}

static int
begin_reading(struct smtpd_client_convert *c)
{
	c->lines = (struct smtpd_dot_encoder){ .no_dots = true };
	c->over = false;
	c->out_at = c->out_len = 0;
	return smtpd__client_content_rewind(&c->content);
}

/* Read all of it for the plan. */
static int
make_plan(struct smtpd_client_convert *c, bool eight_bit)
{
	char lines[2 * PIECE_SIZE + SMTPD_DOT_END_MAX];
	ssize_t n;

	c->lines = (struct smtpd_dot_encoder){ .no_dots = true };
	smtpd__mime_plan_init(&c->planner, &c->plan, eight_bit);
	while ((n = read_lines(c, lines)) > 0)
		smtpd__mime_plan_feed(&c->planner, lines, (size_t)n);
	smtpd__mime_plan_end(&c->planner);
	return n == 0 ? 0 : -1;
}

static int
count_octets(void *user, const void *data, size_t len)
{
	struct smtpd_client_convert *c = user;

	(void)data;
	c->length += len;
	return 0;
}

/* Read all of it for the length. */
static int
find_length(struct smtpd_client_convert *c)
{
	char lines[2 * PIECE_SIZE + SMTPD_DOT_END_MAX];
	ssize_t n;

	if (begin_reading(c) == -1)
		return -1;
	smtpd__mime_convert_init(&c->convert, &c->plan, count_octets, c);
	while ((n = read_lines(c, lines)) > 0)
		smtpd__mime_convert_feed(&c->convert, lines, (size_t)n);
	smtpd__mime_convert_end(&c->convert);
	return n == 0 ? 0 : -1;
}

static int
put_out(void *user, const void *data, size_t len)
{
	struct smtpd_client_convert *c = user;

	if (len > OUT_SIZE - c->out_len)
		return -1;
	memcpy(c->out + c->out_len, data, len);
	c->out_len += len;
	return 0;
}

/* Convert the next piece. */
static int
fill_out(struct smtpd_client_convert *c)
{
	char lines[2 * PIECE_SIZE + SMTPD_DOT_END_MAX];
	ssize_t n = read_lines(c, lines);

	c->out_at = c->out_len = 0;
	if (n == -1 ||
	    smtpd__mime_convert_feed(&c->convert, lines, (size_t)n) == -1)
		return -1;
	return c->over ? smtpd__mime_convert_end(&c->convert) : 0;
}

static ssize_t
read_converted(void *user, void *buf, size_t size)
{
	struct smtpd_client_convert *c = user;
	size_t n;

	while (c->out_at == c->out_len && !c->over)
		if (fill_out(c) == -1)
			return -1;
	n = c->out_len - c->out_at;
	if (n > size)
		n = size;
	memcpy(buf, c->out + c->out_at, n);
	c->out_at += n;
	return (ssize_t)n;
}

static int
begin_conversion(struct smtpd_client_convert *c)
{
	if (find_length(c) == -1 || begin_reading(c) == -1)
		return -1;
	smtpd__mime_convert_init(&c->convert, &c->plan, put_out, c);
	return 0;
}

int
smtpd__client_convert_begin(struct smtpd_outgoing *m, bool eight_bit,
    struct smtpd_client_convert **convert, enum smtpd_conversion *done,
    struct smtpd_result *why)
{
	static const enum smtpd_conversion conversions[] = {
		[SMTPD_MIME_NEED_NOTHING] = SMTPD_CONVERSION_NONE,
		[SMTPD_MIME_NEED_SIGNED] = SMTPD_CONVERSION_SIGNED,
		[SMTPD_MIME_NEED_FIXED] = SMTPD_CONVERSION_FIXED,
	};
	struct smtpd_client_convert *c = malloc(sizeof(*c));
	const char *reason = "out of memory";

	*convert = NULL;
	if (c == NULL)
		goto fail;
	c->original = *m;
	c->over = false;
	c->length = 0;
	smtpd__client_content_begin(&c->content, &c->original);
	reason = "the message cannot be read";
	if (make_plan(c, eight_bit) == -1)
		goto fail;
	if (c->plan.need == SMTPD_MIME_NEED_BARRED) {
		free(c);
		smtpd__result_set(why, SMTPD_OUTCOME_PERMANENT,
		    SMTPD_PHASE_MAIL, "5.6.3",
		    "the server does not offer 8BITMIME, and a part of the "
		    "message cannot be converted");
		return -1;
	}
	if (c->plan.need != SMTPD_MIME_NEED_CONVERSION) {
		if (smtpd__client_content_rewind(&c->content) == -1)
			goto fail;
		*done = conversions[c->plan.need];
		free(c);
		return 0;
	}
	if (begin_conversion(c) == -1)
		goto fail;
	*done = SMTPD_CONVERSION_DONE;
	m->length = c->length;
	m->read = read_converted;
	m->read_user = c;
	*convert = c;
	return 0;
fail:
	free(c);
	smtpd__result_set(why, SMTPD_OUTCOME_TEMPORARY, SMTPD_PHASE_DATA,
	    "4.3.0", "%s", reason);
	return -1;
}

int
smtpd__client_convert_undo(struct smtpd_client_convert *c,
    struct smtpd_outgoing *m, struct smtpd_result *why)
{
	int status = smtpd__client_content_rewind(&c->content);

	*m = c->original;
	free(c);
	if (status == -1)
		smtpd__result_set(why, SMTPD_OUTCOME_TEMPORARY,
		    SMTPD_PHASE_DATA, "4.3.0", "the message cannot be read");
	return status;
}

bool
smtpd__client_convert_is_needed(
    const struct smtpd_client *c, const struct smtpd_outgoing *m)
{
	const struct smtpd_outgoing_envelope *e = m->envelope;

	if (!m->convert)
		return false;
	return e->long_lines ||
	    (e->eight_bit && smtpd_client_offers(c, "8BITMIME") == NULL);
}

void
smtpd__client_convert_end(struct smtpd_client_convert *c)
{
	free(c);
}
