/* SPDX-License-Identifier: MIT */
#include "fuzz.h"

#include <string.h>

#include "grammar/dot_encode.h"
#include "grammar/mime_convert.h"

/* What a header gets in the place of a few bytes, and a byte quoted. */
#define GROWTH 160

static struct out
make_out(size_t most)
{
	struct out o = { .data = malloc(most), .room = most, .most = most };

	must(o.data != NULL);
	return o;
}

static void
make_plan(struct smtpd_mime_plan *plan, const struct out *in, size_t block,
    bool eight_bit)
{
	struct smtpd_mime_planner *p = malloc(sizeof(*p));

	must(p != NULL);
	smtpd__mime_plan_init(p, plan, eight_bit);
	for (size_t at = 0; at < in->len; at += block)
		smtpd__mime_plan_feed(p, in->data + at,
		    in->len - at < block ? in->len - at : block);
	smtpd__mime_plan_end(p);
	free(p);
}

static struct out
convert(const struct smtpd_mime_plan *plan, const struct out *in, size_t block)
{
	struct out out = make_out((in->len + 1) * GROWTH);
	struct smtpd_mime_convert *c = malloc(sizeof(*c));

	must(c != NULL);
	smtpd__mime_convert_init(c, plan, out_write, &out);
	for (size_t at = 0; at < in->len; at += block)
		must(smtpd__mime_convert_feed(c, in->data + at,
			 in->len - at < block ? in->len - at : block) == 0);
	must(smtpd__mime_convert_end(c) == 0);
	free(c);
	return out;
}

/* What every piece of a converted message must be. */
struct check {
	struct smtpd_mime_scan scan;
	bool eight_bit;
	size_t line;
};

static void
check_piece(
    void *user, enum smtpd_mime_piece piece, const char *data, size_t len)
{
	struct check *c = user;

	if (piece == SMTPD_MIME_DELIMITER || piece == SMTPD_MIME_HEADER_END)
		c->line = 0;
	if (piece != SMTPD_MIME_BODY && piece != SMTPD_MIME_FILLER)
		return;
	for (size_t i = 0; i < len; i++) {
		must(c->eight_bit || (unsigned char)data[i] < 128);
		if (data[i] == '\n')
			c->line = 0;
		else if (data[i] != '\r')
			must(++c->line <= SMTPD_MIME_WIDTH_MAX);
	}
}

static void
must_be_fit(const struct out *out, bool eight_bit)
{
	struct check *c = malloc(sizeof(*c));

	must(c != NULL);
	c->eight_bit = eight_bit;
	c->line = 0;
	smtpd__mime_scan_init(&c->scan, check_piece, c);
	smtpd__mime_scan_feed(&c->scan, out->data, out->len);
	smtpd__mime_scan_end(&c->scan);
	free(c);
}

/* Bodies, and where their parts end, as they are when they are decoded. */
struct bodies {
	struct smtpd_mime_scan scan;
	struct out out;
	enum smtpd_mime_encoding encoding;
	struct out body;
};

static int
value_of(char c)
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghij"
				       "klmnopqrstuvwxyz0123456789+/";
	const char *at = c != '\0' ? strchr(alphabet, c) : NULL;

	return at != NULL ? (int)(at - alphabet) : -1;
}

static void
decode_base64(struct bodies *b)
{
	unsigned bits = 0, count = 0;

	for (size_t i = 0; i < b->body.len; i++) {
		int value = value_of(b->body.data[i]);
		char byte;

		if (value < 0)
			continue;
		bits = bits << 6 | (unsigned)value;
		count += 6;
		if (count < 8)
			continue;
		count -= 8;
		byte = (char)(bits >> count & 255);
		out_write(&b->out, &byte, 1);
	}
}

static int
hex_of(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static void
decode_quoted(struct bodies *b)
{
	const char *at = b->body.data, *end = at + b->body.len;

	while (at < end) {
		char byte = *at;

		if (*at == '=' && end - at > 2 && hex_of(at[1]) >= 0 &&
		    hex_of(at[2]) >= 0) {
			byte = (char)(hex_of(at[1]) * 16 + hex_of(at[2]));
			at += 2;
		} else if (*at == '=' && end - at > 2 &&
		    memcmp(at + 1, "\r\n", 2) == 0) {
			at += 3;
			continue;
		}
		out_write(&b->out, &byte, 1);
		at++;
	}
}

static void
decode_piece(
    void *user, enum smtpd_mime_piece piece, const char *data, size_t len)
{
	struct bodies *b = user;

	if (piece == SMTPD_MIME_HEADER_END) {
		b->encoding = b->scan.encoding;
		b->body.len = 0;
	}
	if (piece == SMTPD_MIME_BODY)
		out_write(&b->body, data, len);
	if (piece != SMTPD_MIME_BODY_END)
		return;
	if (b->encoding == SMTPD_MIME_BASE64)
		decode_base64(b);
	else if (b->encoding == SMTPD_MIME_QUOTED_PRINTABLE)
		decode_quoted(b);
	else if (b->body.len > 0)
		out_write(&b->out, b->body.data, b->body.len);
	out_write(&b->out, "|", 1);
}

static struct out
decode(const struct out *in)
{
	struct bodies *b = malloc(sizeof(*b));
	struct out out;

	must(b != NULL);
	b->out = make_out(2 * in->len + 1000);
	b->body = make_out(in->len + 2);
	smtpd__mime_scan_init(&b->scan, decode_piece, b);
	smtpd__mime_scan_feed(&b->scan, in->data, in->len);
	smtpd__mime_scan_end(&b->scan);
	out = b->out;
	free(b->body.data);
	free(b);
	return out;
}

static void
must_be_equal(const struct out *a, const struct out *b)
{
	must(a->len == b->len && memcmp(a->data, b->data, a->len) == 0);
}

/* A byte of options, one for the size of the blocks, and a message. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct smtpd_mime_plan *plan = malloc(2 * sizeof(*plan));
	struct smtpd_dot_encoder lines = { .no_dots = true };
	const char *message = (const char *)data + 2;
	struct out in = make_out(2 * size + SMTPD_DOT_END_MAX);
	bool eight_bit = size > 0 && (data[0] & 1) != 0;
	size_t left = size - 2, block;

	must(plan != NULL);
	if (size < 2)
		goto end;
	block = data[1] % 64 + 1u;
	in.len = smtpd__dot_encode(&lines, &message, &left, in.data, in.room);
	must(left == 0);
	in.len += smtpd__dot_encode_end(&lines, in.data + in.len);
	make_plan(&plan[0], &in, in.len + 1, eight_bit);
	make_plan(&plan[1], &in, block, eight_bit);
	must(plan[0].need == plan[1].need);
	must(memcmp(plan[0].parts, plan[1].parts, sizeof(plan[0].parts)) == 0);
	if (plan[0].need == SMTPD_MIME_NEED_CONVERSION) {
		struct out whole = convert(&plan[0], &in, in.len + 1);
		struct out blocks = convert(&plan[0], &in, block);
		struct out before = decode(&in), after = decode(&whole);

		must_be_equal(&whole, &blocks);
		must_be_fit(&whole, eight_bit);
		must_be_equal(&before, &after);
		/* What was converted needs no conversion. */
		make_plan(&plan[1], &whole, block, eight_bit);
		must(plan[1].need == SMTPD_MIME_NEED_NOTHING);
		free(whole.data);
		free(blocks.data);
		free(before.data);
		free(after.data);
	}
end:
	free(plan);
	free(in.data);
	return 0;
}
