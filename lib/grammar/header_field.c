/* SPDX-License-Identifier: MIT */
#include "grammar/header_field.h"

#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "grammar/fields.h"

bool
smtpd_header_next(
    const char **at, size_t *left, struct smtpd_header_field *field)
{
	const char *in = *at, *end;
	size_t len = *left;
	struct smtpd_fields fields;
	struct smtpd_piece piece;

	smtpd__fields_init(&fields);
	if (smtpd__fields_next(&fields, &in, &len, &piece) != SMTPD_FIELDS_NAME)
		return false;
	field->name = field->raw = *at;
	field->name_len = smtpd__fields_name_len(&piece);
	field->value = end = in;
	while (smtpd__fields_next(&fields, &in, &len, &piece) ==
	    SMTPD_FIELDS_VALUE)
		end = in;
	field->value_len = (size_t)(end - field->value);
	field->raw_len = (size_t)(end - field->raw);
	*at = end;
	*left -= field->raw_len;
	return true;
}

bool
smtpd_header_is(const struct smtpd_header_field *field, const char *name)
{
	return field->name_len == strlen(name) &&
	    smtpd__text_same_bytes(field->name, name, field->name_len);
}

/* Whether octet I of a value of LEN belongs to a line end: each of a field's is
 * that of a line before a folded one, or the last. */
static bool
is_line_end(const char *value, size_t len, size_t i)
{
	return value[i] == '\n' ||
	    (value[i] == '\r' && i + 1 < len && value[i + 1] == '\n');
}

int
smtpd_header_value(
    const struct smtpd_header_field *field, char *buf, size_t size)
{
	static const char white[] = " \t\r\n";
	const char *value = field->value;
	size_t begin = 0, end = field->value_len, len = 0;

	while (begin < end && memchr(white, value[begin], 4) != NULL)
		begin++;
	while (end > begin && memchr(white, value[end - 1], 4) != NULL)
		end--;
	for (size_t i = begin; i < end && len < size; i++) {
		if (!is_line_end(value, end, i))
			buf[len++] = value[i];
	}
	if (len >= size) {
		errno = ERANGE;
		return -1;
	}
	buf[len] = '\0';
	return (int)len;
}
