/* SPDX-License-Identifier: MIT */
#include "grammar/txt_fields.h"

#include <string.h>

#define NAME_MAX 32

bool
smtpd__txt_fields_begin(
    const char *text, size_t len, const char *version, struct smtpd_cursor *c)
{
	const size_t prefix = strlen(version);

	if (len < prefix || memcmp(text, version, prefix) != 0)
		return false;
	/* The ";" is read with the field that it precedes. */
	*c = (struct smtpd_cursor){ text + prefix - 1, text + len };
	return true;
}

static void
skip_blanks(struct smtpd_cursor *c)
{
	while (c->at < c->end && smtpd__text_is_white((unsigned char)*c->at))
		c->at++;
}

bool
smtpd__txt_fields_is_name(const char *s, size_t len)
{
	if (len == 0 || len > NAME_MAX ||
	    !smtpd__text_is_alnum((unsigned char)s[0]))
		return false;
	for (size_t i = 1; i < len; i++)
		if (!smtpd__text_is_alnum((unsigned char)s[i]) &&
		    memchr("_-.", s[i], 3) == NULL)
			return false;
	return true;
}

int
smtpd__txt_fields_next(struct smtpd_cursor *c, struct smtpd_txt_field *f)
{
	const char *end, *equals;

	skip_blanks(c);
	if (c->at == c->end)
		return 0;
	if (!smtpd_cursor_take(c, ';'))
		return -1;
	skip_blanks(c);
	/* One may stand at the end. */
	if (c->at == c->end)
		return 0;
	end = memchr(c->at, ';', (size_t)(c->end - c->at));
	if (end == NULL)
		end = c->end;
	f->name = c->at;
	c->at = end;
	while (end > f->name && smtpd__text_is_white((unsigned char)end[-1]))
		end--;
	equals = memchr(f->name, '=', (size_t)(end - f->name));
	if (equals == NULL)
		return -1;
	f->name_len = (size_t)(equals - f->name);
	f->value = equals + 1;
	f->value_len = (size_t)(end - f->value);
	return smtpd__txt_fields_is_name(f->name, f->name_len) &&
		f->value_len > 0
	    ? 1
	    : -1;
}

bool
smtpd__txt_fields_is(const struct smtpd_txt_field *f, const char *name)
{
	return f->name_len == strlen(name) &&
	    memcmp(f->name, name, f->name_len) == 0;
}

bool
smtpd__txt_fields_is_extension(const struct smtpd_txt_field *f)
{
	for (size_t i = 0; i < f->value_len; i++)
		if (f->value[i] <= ' ' || f->value[i] > '~' ||
		    f->value[i] == '=')
			return false;
	return true;
}
