/* SPDX-License-Identifier: MIT */
#ifndef ASCII_H
#define ASCII_H

/*
 * Whether a text needs more than ASCII, as SMTPUTF8 gives.
 */

#include <stdbool.h>

/* Whether no character of TEXT is outside ASCII. */
bool ascii_is(const char *text);

#endif
