/* SPDX-License-Identifier: MIT */
#include "author.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "address_list.h"

static enum author_fault
check_address(struct accounts *accounts, const char *user, const char *text)
{
	char buf[SMTPD_ADDRESS_MAX];
	struct smtpd_address address;

	if (smtpd_address_parse(text, buf, sizeof(buf), &address) == 0 &&
	    accounts_owns(accounts, user, &address))
		return AUTHOR_RIGHT;
	return AUTHOR_FOREIGN;
}

static enum author_fault
check_field(struct accounts *accounts, const char *user,
    const struct smtpd_header_field *field, char what[AUTHOR_WHAT_SIZE])
{
	enum author_fault fault = AUTHOR_RIGHT;
	struct text_list list = { 0 };

	if (address_list_parse(field->value, field->value_len, &list) == -1) {
		fault = errno == ENOMEM ? AUTHOR_MEMORY : AUTHOR_SYNTAX;
		snprintf(what, AUTHOR_WHAT_SIZE, "%.*s", (int)field->name_len,
		    field->name);
	}
	for (size_t i = 0; i < list.count && fault == AUTHOR_RIGHT; i++) {
		fault = check_address(accounts, user, list.items[i]);
		snprintf(what, AUTHOR_WHAT_SIZE, "%s", list.items[i]);
	}
	text_list_finish(&list);
	return fault;
}

enum author_fault
author_check(struct accounts *accounts, const char *user, const char *header,
    size_t len, char what[AUTHOR_WHAT_SIZE])
{
	enum author_fault fault = AUTHOR_RIGHT;
	struct smtpd_header_field field;
	const char *at = header;
	size_t left = len;

	while (fault == AUTHOR_RIGHT && smtpd_header_next(&at, &left, &field))
		if (smtpd_header_is(&field, "From") ||
		    smtpd_header_is(&field, "Sender"))
			fault = check_field(accounts, user, &field, what);
	/* One that is whole has the empty line left; of one that is not, less
	 * than a line is missing. */
	if (fault == AUTHOR_RIGHT && left == 0 &&
	    len >= SMTPD_BODY_HEADER_MAX - AUTHOR_LINE_MAX)
		return AUTHOR_TOO_LONG;
	return fault;
}
