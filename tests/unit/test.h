/* SPDX-License-Identifier: MIT */
#ifndef TEST_H
#define TEST_H

/*
 * The one harness header of the unit tests: cmocka with all that it needs
 * before it, and the few macros that every test wants.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

/* The number of elements of ARRAY. */
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* The number in the environment's NAME, or else STANDARD. */
static inline unsigned
test_number(const char *name, unsigned standard)
{
	const char *value = getenv(name);

	return value != NULL ? (unsigned)strtoul(value, NULL, 10) : standard;
}

#endif
