/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_GRAMMAR_ATTRIBUTES_H
#define SMTPD_GRAMMAR_ATTRIBUTES_H

/*
 * What XCLIENT and XFORWARD say of another client: attributes with values in
 * xtext (Postfix's XCLIENT_README and XFORWARD_README).
 */

#include <stdbool.h>
#include <stddef.h>

enum smtpd_attribute {
	SMTPD_ATTRIBUTE_NAME,
	SMTPD_ATTRIBUTE_ADDR,
	SMTPD_ATTRIBUTE_PORT,
	SMTPD_ATTRIBUTE_PROTO,
	SMTPD_ATTRIBUTE_HELO,
	SMTPD_ATTRIBUTE_LOGIN,
	SMTPD_ATTRIBUTE_DESTADDR,
	SMTPD_ATTRIBUTE_DESTPORT,
	SMTPD_ATTRIBUTE_IDENT,
	SMTPD_ATTRIBUTE_SOURCE,
	SMTPD_ATTRIBUTES, /* no attribute; and their number */
};

/* Room for a value, with its NUL. */
#define SMTPD_ATTRIBUTE_SIZE 256

/* All zero: nothing was said. */
struct smtpd_attributes {
	bool said[SMTPD_ATTRIBUTES];
	/* Decoded, in UTF-8; "" for what was not said, or is not available. */
	char values[SMTPD_ATTRIBUTES][SMTPD_ATTRIBUTE_SIZE];
};

/* The attribute called NAME of LEN bytes, its case ignored. */
enum smtpd_attribute smtpd__attributes_find(const char *name, size_t len);

/*
 * Read 1*( SP name "=" xtext ) from TEXT into OUT.  An address has lost its
 * "IPV6:"; whether it is one is not looked at.  Return 0, or -1 when TEXT has
 * another form, an attribute twice, an empty value, or one that its attribute
 * cannot have.
 */
int smtpd__attributes_parse(const char *text, struct smtpd_attributes *out);

/* Put what MORE says in the place of what INTO said before. */
void smtpd__attributes_merge(
    struct smtpd_attributes *into, const struct smtpd_attributes *more);

#endif
