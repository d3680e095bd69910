/* SPDX-License-Identifier: MIT */
#ifndef TALK_BYTES_H
#define TALK_BYTES_H

/* Strings of any bytes, and how a conversation file writes them. */

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* LEN bytes, and a NUL behind them that is not counted. */
struct bytes {
	char *data;
	size_t len;
	size_t room; /* for bytes, the NUL among them */
};

/* Say what is wrong, and end the program with status 1. */
_Noreturn void die(const char *format, ...)
    __attribute__((format(printf, 1, 2)));

/* Put LEN bytes at S, or a text, or one of printf's making, at the end. */
void bytes_add(struct bytes *b, const char *s, size_t len);
void bytes_text(struct bytes *b, const char *s);
void bytes_format(struct bytes *b, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Take LEN bytes off the front. */
void bytes_drop(struct bytes *b, size_t len);

void bytes_finish(struct bytes *b);

/*
 * Add what S of LEN bytes stands for: \r \n \t \0 \\ and \xHH are one byte,
 * \{TEXT*N} is TEXT N times.  Return false when an escape is none of these.
 */
bool bytes_unescape(struct bytes *b, const char *s, size_t len);

/* Print B in that form to OUT, the first MAX bytes of it. */
void bytes_print(const struct bytes *b, FILE *out, size_t max);

#endif
