/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_GRAMMAR_AUTH_RESULTS_H
#define SMTPD_GRAMMAR_AUTH_RESULTS_H

/*
 * Authentication-Results fields (RFC 8601), as far as one must know whose
 * they are.
 */

#include <stdbool.h>
#include <stddef.h>

/*
 * Whether the value of such a field, LEN bytes at VALUE, folded or not, says
 * that it is from the host called ID: in any case of letters, quoted or not,
 * with comments before it, and with a version or without; or does not say whose
 * it is in a form that can be read (RFC 8601, 5).
 */
bool smtpd__auth_results_is_of(const char *value, size_t len, const char *id);

#endif
