/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_TESTS_FUZZ_H
#define SMTPD_TESTS_FUZZ_H

/* What the fuzz targets share. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A property of the code under test: end the program where it fails. */
static inline void
must(bool holds)
{
	if (!holds)
		abort();
}

/* What was written so far: all zero is nothing. */
struct out {
	char *data;
	size_t len;
	size_t room;
	size_t most; /* octets; 0: any number */
};

/* Write LEN bytes at DATA to OUT, a struct out: this is a smtpd_sink_fn.  What
 * has a bound is never handed nothing. */
static inline int
out_write(void *out, const void *data, size_t len)
{
	struct out *o = out;

	must(o->most == 0 || (len > 0 && len <= o->most - o->len));
	if (o->room - o->len < len) {
		o->room = 2 * (o->len + len);
		o->data = realloc(o->data, o->room);
		must(o->data != NULL);
	}
	if (len > 0)
		memcpy(o->data + o->len, data, len);
	o->len += len;
	return 0;
}

static inline bool
out_is_same(const struct out *a, const struct out *b)
{
	return a->len == b->len &&
	    (a->len == 0 || memcmp(a->data, b->data, a->len) == 0);
}

/* Whether LEN bytes at S are printable ASCII or spaces. */
static inline bool
is_printable(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (s[i] < ' ' || s[i] > '~')
			return false;
	}
	return true;
}

/* Whether LEN bytes at S are UTF-8 without controls. */
static inline bool
is_printable_utf8(const char *s, size_t len)
{
	for (size_t at = 0, n; at < len; at += n) {
		uint32_t point;

		n = smtpd__utf8_decode(s + at, len - at, &point);
		if (n == 0 || smtpd__utf8_is_control(point))
			return false;
	}
	return true;
}

#endif
