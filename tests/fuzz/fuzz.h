/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_TESTS_FUZZ_H
#define SMTPD_TESTS_FUZZ_H

/* What the fuzz targets share. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

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

#endif
