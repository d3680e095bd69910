/* SPDX-License-Identifier: MIT */
#include "grammar/header_list.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <smtpd/body.h>

#include "base/text.h"
#include "grammar/fields.h"

#define FIRST_ROOM 16

/* field-name = 1*ftext (RFC 5322, 3.6.8) */
static bool
is_name(const char *name)
{
	size_t len = strlen(name);

	for (size_t i = 0; i < len; i++)
		if (name[i] <= ' ' || name[i] > '~' || name[i] == ':')
			return false;
	return len > 0 && len < SMTPD_FIELD_NAME_MAX;
}

static bool
is_value(const char *value)
{
	for (size_t i = 0; value[i] != '\0'; i++)
		if (smtpd__text_is_control((unsigned char)value[i]) &&
		    value[i] != '\t' && value[i] != '\n' &&
		    (value[i] != '\r' || value[i + 1] != '\n'))
			return false;
	return true;
}

/* Write LEN bytes at VALUE, folded at its line ends, to TO.  Return the end of
 * what was written, at most three times as much. */
static char *
write_value(char *to, const char *value, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (value[i] == '\r')
			continue;
		if (value[i] == '\n')
			*to++ = '\r';
		*to++ = value[i];
		if (value[i] == '\n' &&
		    !smtpd__text_is_white((unsigned char)value[i + 1]))
			*to++ = '\t';
	}
	return to;
}

/* Make room for one item at AT.  Return it, or NULL without memory. */
static struct smtpd_header_item *
make_room(struct smtpd_header_list *l, size_t at)
{
	size_t room = l->room == 0 ? FIRST_ROOM : 2 * l->room;
	struct smtpd_header_item *more;

	if (l->count == l->room) {
		more = realloc(l->items, room * sizeof(*more));
		if (more == NULL)
			return NULL;
		l->items = more;
		l->room = room;
	}
	memmove(l->items + at + 1, l->items + at,
	    (l->count - at) * sizeof(*l->items));
	l->count++;
	return &l->items[at];
}

long
smtpd__header_list_load(
    struct smtpd_header_list *l, const char *text, size_t len)
{
	struct smtpd_header_field field;
	struct smtpd_header_item *item;
	const char *at = text;

	while (smtpd_header_next(&at, &len, &field)) {
		item = make_room(l, l->count);
		if (item == NULL)
			return -1;
		*item = (struct smtpd_header_item){
			.text = field.raw,
			.len = field.raw_len,
		};
	}
	return at - text;
}

int
smtpd__header_list_insert(struct smtpd_header_list *l, size_t at,
    const char *name, const char *blank, const char *value)
{
	size_t len = strlen(value);
	struct smtpd_header_item *item;
	char *text, *end;

	if (!is_name(name) || !is_value(value)) {
		errno = EINVAL;
		return -1;
	}
	while (len > 0 && strchr("\r\n", value[len - 1]) != NULL)
		len--;
	text = malloc(strlen(name) + 1 + strlen(blank) + 3 * len + 2);
	item =
	    text != NULL ? make_room(l, at < l->count ? at : l->count) : NULL;
	if (item == NULL) {
		free(text);
		errno = ENOMEM;
		return -1;
	}
	end = text;
	for (const char *p = name; *p != '\0'; p++)
		*end++ = *p;
	*end++ = ':';
	for (const char *p = blank; *p != '\0'; p++)
		*end++ = *p;
	end = write_value(end, value, len);
	*end++ = '\r';
	*end++ = '\n';
	*item = (struct smtpd_header_item){ text, (size_t)(end - text), text };
	return 0;
}

/* Whether ITEM is called NAME, in any case of letters. */
static bool
is_called(const struct smtpd_header_item *item, const char *name)
{
	const char *at = item->text;
	size_t left = item->len;
	struct smtpd_header_field field;

	return smtpd_header_next(&at, &left, &field) &&
	    smtpd_header_is(&field, name);
}

size_t
smtpd__header_list_find(
    const struct smtpd_header_list *l, const char *name, size_t i)
{
	size_t at = 0;

	for (; at < l->count; at++) {
		if (!is_called(&l->items[at], name))
			continue;
		if (i-- == 0)
			break;
	}
	return at;
}

void
smtpd__header_list_remove(struct smtpd_header_list *l, size_t at)
{
	free(l->items[at].own);
	memmove(l->items + at, l->items + at + 1,
	    (l->count - at - 1) * sizeof(*l->items));
	l->count--;
}

void
smtpd__header_list_finish(struct smtpd_header_list *l)
{
	for (size_t i = 0; i < l->count; i++)
		free(l->items[i].own);
	free(l->items);
	*l = (struct smtpd_header_list){ 0 };
}
