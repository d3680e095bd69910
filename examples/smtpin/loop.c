/* SPDX-License-Identifier: MIT */
#include "loop.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

static const char field[] = "Delivered-To:";

void
loop_begin(struct loop_scan *s, const char *header, size_t len)
{
	s->at = header;
	s->end = header + len;
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* The end of the field that begins at AT: that of its last line, which no
 * folded one follows.  NULL: it is not there any more. */
static const char *
field_end(const struct loop_scan *s, const char *at)
{
	do {
		at = memchr(at, '\n', (size_t)(s->end - at));
		if (at == NULL)
			return NULL;
		at++;
	} while (at < s->end && (*at == ' ' || *at == '\t'));
	return at;
}

const char *
loop_next(struct loop_scan *s, size_t *len)
{
	while (s->at < s->end && *s->at != '\r' && *s->at != '\n') {
		const char *value = s->at;
		const char *end = field_end(s, value);
		bool found;

		if (end == NULL)
			return NULL;
		found = end - value > (ptrdiff_t)strlen(field) &&
		    strncasecmp(value, field, strlen(field)) == 0;
		s->at = end;
		if (!found)
			continue;
		value += strlen(field);
		while (value < end && is_blank(*value))
			value++;
		while (end > value && is_blank(end[-1]))
			end--;
		*len = (size_t)(end - value);
		return value;
	}
	return NULL;
}
