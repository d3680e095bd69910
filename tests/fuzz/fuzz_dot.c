/* SPDX-License-Identifier: MIT */
#include "fuzz.h"

#include <string.h>

#include "grammar/dot.h"

/* Longer inputs only take longer. */
#define INPUT_MAX 4096

struct result {
	char out[2 * INPUT_MAX + 2];
	size_t len;
	size_t used;
	unsigned found;
	bool done;
};

/* Decode by pieces of input of CHUNK bytes, the first one of FIRST, and of
 * output of SIZE bytes. */
static void
decode(const char *in, size_t len, size_t first, size_t chunk, size_t size,
    struct result *r)
{
	size_t end = first;
	struct smtpd_dot d;

	smtpd__dot_init(&d, 100);
	r->len = 0;
	for (r->used = 0; r->used < len && !d.done; end += chunk) {
		const char *at = in + r->used;
		size_t left = (end < len ? end : len) - r->used;

		while (left > 0 && !d.done) {
			const char *before = at;
			size_t room = sizeof(r->out) - r->len;

			room = room < size ? room : size;
			r->len += smtpd__dot_decode(
			    &d, &at, &left, r->out + r->len, room);
			must(at > before);
		}
		r->used = (size_t)(at - in);
	}
	r->found = d.lines.found;
	r->done = d.done;
}

static void
must_be_same(const struct result *a, const struct result *b)
{
	must(a->len == b->len && a->used == b->used);
	must(a->found == b->found && a->done == b->done);
	must(memcmp(a->out, b->out, a->len) == 0);
}

/* Lines end by CRLF, no other CR and no NUL is left, what was found is so. */
static void
must_be_clean(const struct result *r, const char *in)
{
	must(memchr(r->out, '\0', r->len) == NULL);
	for (size_t i = 0; i < r->len; i++) {
		char next = i + 1 < r->len ? r->out[i + 1] : '\n';

		must(r->out[i] != '\n' || (i > 0 && r->out[i - 1] == '\r'));
		must(r->out[i] != '\r' || next == '\n');
	}
	must(((r->found & SMTPD_LINE_SCAN_NUL) != 0) ==
	    (memchr(in, '\0', r->used) != NULL));
	if (!r->done)
		return;
	must(r->used >= 3 && memcmp(in + r->used - 3, ".\r\n", 3) == 0);
	must(r->len == 0 || memcmp(r->out + r->len - 2, "\r\n", 2) == 0);
	must(r->used == 3 || memcmp(in + r->used - 5, "\r\n", 2) == 0);
}

/* Dots doubled and the end put behind it, the message decodes to itself. */
static void
must_survive_a_round_trip(const struct result *r)
{
	static char stuffed[4 * INPUT_MAX + 16];
	static struct result again;
	size_t n = 0;

	for (size_t i = 0; i < r->len; i++) {
		if (r->out[i] == '.' && (i == 0 || r->out[i - 1] == '\n'))
			stuffed[n++] = '.';
		stuffed[n++] = r->out[i];
	}
	memcpy(stuffed + n, ".\r\n", 3);
	decode(stuffed, n + 3, n + 3, 1, sizeof(again.out), &again);
	must(again.done && again.used == n + 3 && again.len == r->len);
	must(memcmp(again.out, r->out, r->len) == 0);
	must((again.found &
		 (SMTPD_LINE_SCAN_BARE_CR | SMTPD_LINE_SCAN_BARE_LF |
		     SMTPD_LINE_SCAN_NUL)) == 0);
}

static void
must_drop_the_same(const char *in, size_t len, const struct result *want)
{
	struct smtpd_dot d;
	size_t left = len;

	smtpd__dot_init(&d, 100);
	must(smtpd__dot_decode(&d, &in, &left, NULL, 0) == 0);
	must(len - left == want->used);
	must(d.lines.found == want->found && d.done == want->done);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct result whole;
	static struct result split;
	const char *in = (const char *)data;

	if (size > INPUT_MAX)
		return 0;
	decode(in, size, size, 1, sizeof(whole.out), &whole);
	must_be_clean(&whole, in);
	must_drop_the_same(in, size, &whole);
	if (whole.done)
		must_survive_a_round_trip(&whole);
	decode(in, size, 1, 1, 4, &split);
	must_be_same(&split, &whole);
	/* Every offset; but of long inputs one in so many. */
	for (size_t at = 1; at < size; at += 1 + size / 128) {
		decode(in, size, at, size, sizeof(split.out), &split);
		must_be_same(&split, &whole);
		decode(in, size, at, size, 4 + at % 61, &split);
		must_be_same(&split, &whole);
	}
	return 0;
}
