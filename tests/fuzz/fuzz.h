/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_TESTS_FUZZ_H
#define SMTPD_TESTS_FUZZ_H

/* What the fuzz targets share. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A property of the code under test: end the program where it fails. */
static inline void
must(bool holds)
{
	if (!holds)
		abort();
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
