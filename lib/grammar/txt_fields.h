/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_GRAMMAR_TXT_FIELDS_H
#define SMTPD_GRAMMAR_TXT_FIELDS_H

/*
 * Records of the DNS that say how mail of a domain goes over TLS: "v=STSv1;
 * id=..." (RFC 8461, 3.1) and "v=TLSRPTv1; rua=..." (RFC 8460, 3).
 */

#include <stdbool.h>
#include <stddef.h>

#include "grammar/cursor.h"

/* One of the fields "name=value" behind the version. */
struct smtpd_txt_field {
	const char *name;
	size_t name_len;
	const char *value;
	size_t value_len;
};

/* Whether the LEN bytes at TEXT are a record of VERSION, "v=STSv1;": then C is
 * what stands behind it.  What is none has nothing to do with us. */
bool smtpd__txt_fields_begin(
    const char *text, size_t len, const char *version, struct smtpd_cursor *c);

/* Read the next field.  Return 1, 0 at the end, or -1 when the record is
 * malformed: all of it counts for nothing then. */
int smtpd__txt_fields_next(struct smtpd_cursor *c, struct smtpd_txt_field *f);

/* Whether the LEN bytes at S can be the name of a field, in a record or in a
 * policy. */
bool smtpd__txt_fields_is_name(const char *s, size_t len);

/* Whether F is the field NAME, in its case. */
bool smtpd__txt_fields_is(const struct smtpd_txt_field *f, const char *name);

/* Whether the name and the value of F are those that a field may have that is
 * unknown here, and so is to be ignored. */
bool smtpd__txt_fields_is_extension(const struct smtpd_txt_field *f);

#endif
