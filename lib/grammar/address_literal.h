/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_GRAMMAR_ADDRESS_LITERAL_H
#define SMTPD_GRAMMAR_ADDRESS_LITERAL_H

/* Address literals, "[192.0.2.1]" (RFC 5321, 4.1.3). */

#include "grammar/cursor.h"

/* Skip an address-literal; the General-address-literal has no use yet.  Return
 * whether there was one. */
bool smtpd__address_literal_skip(struct smtpd_cursor *c);

#endif
