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

#include <cmocka.h>

/* The number of elements of ARRAY. */
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#endif
