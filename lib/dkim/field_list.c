/* SPDX-License-Identifier: MIT */
#include "dkim/field_list.h"

#include <string.h>

#include "base/text.h"

size_t
smtpd__dkim_field_list_find(
    const struct smtpd_dkim_field_list *list, const char *name, size_t len)
{
	size_t i = 0;

	while (i < list->count &&
	    (strlen(list->at[i].name) != len ||
		!smtpd__text_same_bytes(list->at[i].name, name, len)))
		i++;
	return i;
}

/* RFC 6376, 5.4: fields that are added, changed or removed on the way. */
static bool
is_changed_on_the_way(const char *name)
{
	static const char *const names[] = { "Received", "Return-Path", "Bcc",
		"Resent-Bcc", "DKIM-Signature", "Authentication-Results" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (smtpd__text_same(names[i], name))
			return true;
	return false;
}

static bool
is_field_name(const char *name, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (name[i] <= ' ' || name[i] > '~' || name[i] == ';')
			return false;
	return len > 0 && len <= SMTPD_DKIM_FIELD_NAME_MAX;
}

/* Add the LEN bytes at TEXT.  Return NULL, or what is wrong with them. */
static const char *
add_name(struct smtpd_dkim_field_list *list, const char *text, size_t len)
{
	bool once_more = len == 0 || text[len - 1] != '?';

	if (!once_more)
		len--;
	if (!is_field_name(text, len))
		return "it has an entry that is no name of a field";
	if (list->count == SMTPD_DKIM_FIELDS_MAX)
		return "it has more than 64 fields";
	if (smtpd__dkim_field_list_find(list, text, len) < list->count)
		return "it names a field twice";
	memcpy(list->at[list->count].name, text, len);
	list->at[list->count].name[len] = '\0';
	list->at[list->count].once_more = once_more;
	if (is_changed_on_the_way(list->at[list->count].name))
		return "it has a field that hosts on the way change";
	list->count++;
	return NULL;
}

const char *
smtpd__dkim_field_list_parse(
    const char *text, struct smtpd_dkim_field_list *out)
{
	const char *fault;

	out->count = 0;
	do {
		size_t len = strcspn(text, ":");

		fault = add_name(out, text, len);
		text += len;
	} while (fault == NULL && *text++ != '\0');
	if (fault == NULL &&
	    smtpd__dkim_field_list_find(out, "From", 4) == out->count)
		fault = add_name(out, "From", 4);
	return fault;
}
