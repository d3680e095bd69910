/* SPDX-License-Identifier: MIT */
#include "grammar/command.h"

#include <string.h>

#include "base/text.h"

static bool
has_control(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (smtpd__text_is_control((unsigned char)s[i]) && s[i] != '\t')
			return true;
	}
	return false;
}

/* The length of the first word. */
static size_t
first_word(const char *s, size_t len)
{
	size_t n = 0;

	while (n < len && !smtpd__text_is_white(s[n]))
		n++;
	return n;
}

static bool
is_verb(const char *s, size_t len)
{
	if (len == 0 || len > SMTPD_VERB_MAX || !smtpd__text_is_alpha(s[0]))
		return false;
	for (size_t i = 1; i < len; i++) {
		if (!smtpd__text_is_alnum(s[i]) && s[i] != '-')
			return false;
	}
	return true;
}

int
smtpd__command_parse(
    const char *line, size_t len, struct smtpd_command_line *out)
{
	size_t n = first_word(line, len);

	if (has_control(line, len) || !is_verb(line, n))
		return -1;
	for (size_t i = 0; i < n; i++)
		out->verb[i] = (char)smtpd__text_to_upper(line[i]);
	out->verb[n] = '\0';
	while (n < len && smtpd__text_is_white(line[n]))
		n++;
	while (len > n && smtpd__text_is_white(line[len - 1]))
		len--;
	out->argument = line + n;
	out->len = len - n;
	return 0;
}

static bool
is_http_method(const char *s, size_t len)
{
	static const char *const methods[] = { "CONNECT", "DELETE", "GET",
		"HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE" };

	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
		if (strlen(methods[i]) == len &&
		    smtpd__text_same_bytes(s, methods[i], len))
			return true;
	}
	return false;
}

/* field-name ":" (RFC 5322, 3.6.8); in SMTP a space comes before any colon. */
static bool
is_label(const char *s, size_t len)
{
	size_t n = 0;

	while (n < len && s[n] > ' ' && s[n] <= '~' && s[n] != ':')
		n++;
	return n < len && s[n] == ':';
}

bool
smtpd__command_is_foreign(const char *line, size_t len)
{
	size_t n = first_word(line, len);

	if (len == 0)
		return false;
	return !smtpd__text_is_alpha(line[0]) || is_http_method(line, n) ||
	    is_label(line, n);
}
