/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_GRAMMAR_IDN_H
#define SMTPD_GRAMMAR_IDN_H

/* Domains outside ASCII, made fit for the DNS. */

#include <stddef.h>

/*
 * Write the UTF-8 domain NAME in A-labels (RFC 5890, 2.3.2.1) to OUT of SIZE
 * bytes.  Return 0, or -1 when it has none or the library was built without
 * libidn2.
 */
int smtpd__idn_to_ascii(const char *name, char *out, size_t size);

#endif
