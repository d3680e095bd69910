/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_GRAMMAR_LINE_SCAN_H
#define SMTPD_GRAMMAR_LINE_SCAN_H

/*
 * The lines of a message as they come from a client (RFC 5321, 2.3.8; RFC 5321,
 * 4.5.3.1.6): line ends made CRLF, NULs left out, and what is not allowed
 * remembered.  It is the same whether dots or a chunk's size end the message.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What lines were found to hold; bits. */
enum smtpd_line_scan_found {
	SMTPD_LINE_SCAN_BARE_CR = 1 << 0,
	SMTPD_LINE_SCAN_BARE_LF = 1 << 1,
	SMTPD_LINE_SCAN_NUL = 1 << 2,
	SMTPD_LINE_SCAN_LONG_LINE = 1 << 3,
	SMTPD_LINE_SCAN_OVER_1000 = 1 << 4, /* longer than all hosts take */
};

/* Where the scanner stands. */
enum smtpd_line_scan_state {
	SMTPD_LINE_SCAN_AT_START, /* of the message, or behind CRLF */
	SMTPD_LINE_SCAN_IN_LINE,
	SMTPD_LINE_SCAN_AFTER_CR, /* it is not in the output yet */
};

/* A scanner: the state between two pieces of input. */
struct smtpd_line_scan {
	enum smtpd_line_scan_state state;
	unsigned found;    /* of enum smtpd_line_scan_found */
	uint32_t line;     /* octets of the present line */
	uint32_t max_line; /* with the CRLF; longer: LONG_LINE */
};

/* The most that one step writes for one byte. */
#define SMTPD_LINE_SCAN_STEP_MAX 2

/*
 * One piece of input, and the room for output: the input within reach, and
 * where the next of each special byte stands in it (its end if there is none,
 * NULL if it was not looked for).
 */
struct smtpd_line_piece {
	const char *in;
	const char *end;
	const char *cr;
	const char *lf;
	const char *nul;
	char *out; /* NULL: the output is dropped */
	size_t left;
};

/* Begin a message whose lines may have MAX_LINE octets. */
void smtpd__line_scan_init(struct smtpd_line_scan *l, uint32_t max_line);

/* Let P reach as far in the input that ends at END as there is room for it: the
 * rest is looked at in the next window. */
void smtpd__line_scan_window(struct smtpd_line_piece *p, const char *end);

/*
 * Scan some of P, which has input and at least SMTPD_LINE_SCAN_STEP_MAX bytes
 * of room; a step never goes beyond a CRLF.  In the output a bare LF is CRLF,
 * a NUL is left out, as are CRs before CRLF, and other CRs, one or several in a
 * row, are a space: nothing is repaired to a line end that no one meant.
 */
void smtpd__line_scan_step(
    struct smtpd_line_scan *l, struct smtpd_line_piece *p);

/* Scan a CR that was taken from the input before, and no LF follows. */
void smtpd__line_scan_bare_cr(struct smtpd_line_scan *l);

/*
 * Scan *LEN bytes at *IN as far as there is room in OUT of SIZE bytes, SIZE at
 * least SMTPD_LINE_SCAN_STEP_MAX, and move *IN and *LEN past them.  OUT NULL:
 * drop the output.  Return how many bytes were written.  It makes progress in
 * every call that has input.
 */
size_t smtpd__line_scan_block(struct smtpd_line_scan *l, const char **in,
    size_t *len, char *out, size_t size);

/* The message ends here: end its last line if that has no end.  Return how many
 * bytes were written to OUT, at most SMTPD_LINE_SCAN_STEP_MAX. */
size_t smtpd__line_scan_end(struct smtpd_line_scan *l, char *out);

#endif
