/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_GRAMMAR_IDN_H
#define SMTPD_GRAMMAR_IDN_H

/* Domains and local parts outside ASCII, made fit for the DNS and for
 * comparison. */

#include <stdbool.h>
#include <stddef.h>

/* Whether the library was built with what the functions below need. */
bool smtpd__idn_is_available(void);

/*
 * Write the UTF-8 domain NAME in A-labels (RFC 5890, 2.3.2.1) to OUT of SIZE
 * bytes.  Return 0, or -1 when it has none or they are not available.
 */
int smtpd__idn_to_ascii(const char *name, char *out, size_t size);

/*
 * Write LEN bytes of UTF-8 at TEXT in lower case, whatever the locale says, and
 * in Normalization Form C to OUT of SIZE bytes, with a NUL.  Return 0, or -1
 * when there is no room, TEXT is no UTF-8, or this is not available.
 */
int smtpd__idn_lower(const char *text, size_t len, char *out, size_t size);

#endif
