/* SPDX-License-Identifier: MIT */
#include "header.h"

#include <gmime/gmime.h>

#include <string.h>

#define HEADER_MAX 262144

/* Longer values are cut off. */
#define VALUE_MAX 65536

struct header
header_begin(const char *octets, size_t size)
{
	return (struct header){ octets, MIN(size, HEADER_MAX) };
}

/* The next line without its end; false at the end of the header. */
static bool
next_line(struct header *h, const char **line, size_t *len)
{
	const char *end = memchr(h->at, '\n', h->left);
	size_t n = end == NULL ? h->left : (size_t)(end - h->at) + 1;

	*line = h->at;
	*len = n;
	while (*len > 0 &&
	    ((*line)[*len - 1] == '\n' || (*line)[*len - 1] == '\r'))
		--*len;
	h->at += n;
	h->left -= n;
	if (*len == 0)
		h->left = 0;
	return *len > 0;
}

static void
append_line(GString *value, const char *line, size_t len)
{
	if (value->len < VALUE_MAX)
		g_string_append_len(
		    value, line, (gssize)MIN(len, VALUE_MAX - value->len));
}

/* A copy of LEN bytes in UTF-8, without control bytes. */
static char *
copy_text(const char *text, size_t len)
{
	char *copy = g_utf8_make_valid(text, (gssize)len);

	for (char *at = copy; *at != '\0'; at++) {
		if ((unsigned char)*at < ' ')
			*at = ' ';
	}
	return g_strstrip(copy);
}

bool
header_next(struct header *h, struct header_field *field)
{
	const char *line, *colon = NULL;
	GString *value;
	char *decoded;
	size_t len;

	/* What is no field is left out. */
	while (colon == NULL) {
		if (!next_line(h, &line, &len))
			return false;
		colon = *line == ' ' ? NULL : memchr(line, ':', len);
	}
	field->name = copy_text(line, (size_t)(colon - line));
	value = g_string_new(NULL);
	append_line(value, colon + 1, len - (size_t)(colon + 1 - line));
	while (h->left > 0 && (*h->at == ' ' || *h->at == '\t') &&
	    next_line(h, &line, &len))
		append_line(value, line, len);
	field->raw = copy_text(value->str, value->len);
	g_string_free(value, TRUE);
	decoded = g_mime_utils_header_decode_text(NULL, field->raw);
	field->value = copy_text(decoded, strlen(decoded));
	g_free(decoded);
	return true;
}

void
header_field_finish(struct header_field *field)
{
	g_free(field->name);
	g_free(field->raw);
	g_free(field->value);
}

char *
header_value(const char *octets, size_t size, const char *name)
{
	struct header h = header_begin(octets, size);
	struct header_field field;
	char *value = NULL;

	while (value == NULL && header_next(&h, &field)) {
		if (g_ascii_strcasecmp(field.name, name) == 0)
			value = g_strdup(field.value);
		header_field_finish(&field);
	}
	return value != NULL ? value : g_strdup("");
}

static void
add_addresses(InternetAddressList *found, GPtrArray *list)
{
	int n = found == NULL ? 0 : internet_address_list_length(found);

	for (int i = 0; i < n; i++) {
		InternetAddress *a =
		    internet_address_list_get_address(found, i);

		if (INTERNET_ADDRESS_IS_MAILBOX(a))
			g_ptr_array_add(list,
			    g_strdup(internet_address_mailbox_get_addr(
				INTERNET_ADDRESS_MAILBOX(a))));
	}
}

void
header_addresses(
    const char *octets, size_t size, const char *name, GPtrArray *list)
{
	struct header h = header_begin(octets, size);
	struct header_field field;

	while (header_next(&h, &field)) {
		if (g_ascii_strcasecmp(field.name, name) == 0) {
			InternetAddressList *found =
			    internet_address_list_parse(NULL, field.raw);

			add_addresses(found, list);
			g_clear_object(&found);
		}
		header_field_finish(&field);
	}
}
