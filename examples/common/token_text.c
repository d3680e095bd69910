/* SPDX-License-Identifier: MIT */
/* explicit_bzero(). */
#define _DEFAULT_SOURCE
#include "token_text.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What a reply in JSON is asked for. */
struct reply {
	char token[SMTPD_SECRET_SIZE];
	char lifetime[24];
	char error[64];
	char description[256];
};

static const char *
skip_white(const char *s)
{
	return s + strspn(s, " \t\r\n");
}

/* The character that S, which stands behind a backslash, means, and how many
 * there are of S; 0 where that is none that a token has. */
static char
read_escape(const char *s, size_t *len)
{
	static const char plain[] = "\"\\/";
	char digits[5];
	char *end;
	long c;

	*len = 1;
	if (*s != '\0' && strchr(plain, *s) != NULL)
		return *s;
	if (*s != 'u')
		return 0;
	snprintf(digits, sizeof(digits), "%.4s", s + 1);
	c = strtol(digits, &end, 16);
	*len = 1 + (size_t)(end - digits);
	return *len == 5 && c > 0 && c < 0x7f ? (char)c : 0;
}

/* Read the string at S, a quote, into OUT of SIZE bytes.  Return its end, or
 * NULL when it has none, or no room. */
static const char *
read_string(const char *s, char *out, size_t size)
{
	size_t len = 0, more;

	for (s++; *s != '"'; s++) {
		char c = *s;

		if (c == '\0' || len + 1 == size)
			return NULL;
		if (c == '\\') {
			c = read_escape(s + 1, &more);
			if (c == 0)
				c = '?';
			if (s[1] == '\0')
				return NULL;
			s += more;
		}
		out[len++] = c;
	}
	out[len] = '\0';
	return s + 1;
}

/* The end of the string at S; NULL: it has none. */
static const char *
skip_string(const char *s)
{
	for (s++; *s != '"'; s++) {
		if (*s == '\\')
			s++;
		if (*s == '\0')
			return NULL;
	}
	return s + 1;
}

/* The end of the value at S, an object or an array with all in it, or a number
 * or a word; NULL: it has none. */
static const char *
skip_value(const char *s)
{
	size_t depth = 0;

	do {
		if (*s == '\0')
			return NULL;
		if (*s == '"') {
			s = skip_string(s);
			if (s == NULL)
				return NULL;
			continue;
		}
		if (*s == '{' || *s == '[')
			depth++;
		if ((*s == '}' || *s == ']') && depth-- == 0)
			return NULL;
		s++;
	} while (depth > 0 || strchr(",}]", *s) == NULL);
	return s;
}

/* Read the value at S, a string, or a number as its text, into OUT of SIZE
 * bytes.  Return its end, or NULL. */
static const char *
read_value(const char *s, char *out, size_t size)
{
	size_t len = strcspn(s, ",}] \t\r\n");

	if (*s == '"')
		return read_string(s, out, size);
	if (*s == '{' || *s == '[' || len >= size)
		return NULL;
	memcpy(out, s, len);
	out[len] = '\0';
	return s + len;
}

/* Read the members of the object at S into R.  Return 0, or -1 when it is
 * none. */
static int
read_object(const char *s, struct reply *r)
{
	const struct {
		const char *name;
		char *out;
		size_t size;
	} members[] = {
		{ "access_token", r->token, sizeof(r->token) },
		{ "expires_in", r->lifetime, sizeof(r->lifetime) },
		{ "error", r->error, sizeof(r->error) },
		{ "error_description", r->description, sizeof(r->description) },
	};
	const size_t count = sizeof(members) / sizeof(members[0]);
	char name[64];

	do {
		const char *key = skip_white(s + 1), *end;
		size_t i = count;

		if (*key != '"' || (end = skip_string(key)) == NULL)
			return -1;
		if (read_string(key, name, sizeof(name)) != NULL)
			for (i = 0; i < count; i++)
				if (strcmp(members[i].name, name) == 0)
					break;
		s = skip_white(end);
		if (*s != ':')
			return -1;
		s = skip_white(s + 1);
		end = NULL;
		if (i < count) {
			end = read_value(s, members[i].out, members[i].size);
			if (end == NULL)
				members[i].out[0] = '\0';
		}
		s = end != NULL ? end : skip_value(s);
		if (s == NULL)
			return -1;
		s = skip_white(s);
	} while (*s == ',');
	return *s == '}' ? 0 : -1;
}

/* Printable ASCII without blanks (RFC 6750, 2.1). */
static bool
is_token(const char *s)
{
	const char *at = s;

	while (*at > ' ' && *at <= '~')
		at++;
	return at > s && *at == '\0';
}

/* A lifetime in seconds, or 0 when TEXT is none. */
static uint64_t
read_lifetime(const char *text)
{
	char *end;
	unsigned long long n = strtoull(text, &end, 10);

	return *text >= '0' && *text <= '9' && n <= 315360000 ? n : 0;
}

static int
read_json(const char *text, struct token *out, char *why, size_t size)
{
	struct reply r = { .token = "" };

	if (read_object(text, &r) == -1) {
		snprintf(why, size, "it is no object in JSON");
		return -1;
	}
	if (r.error[0] != '\0') {
		snprintf(why, size, "%s%s%s", r.error,
		    r.description[0] != '\0' ? ": " : "", r.description);
		return -1;
	}
	if (!is_token(r.token)) {
		snprintf(why, size, "there is no access_token");
		return -1;
	}
	memcpy(out->text, r.token, sizeof(out->text));
	out->lifetime = read_lifetime(r.lifetime);
	explicit_bzero(&r, sizeof(r));
	return 0;
}

int
token_text_read(char *text, struct token *out, char *why, size_t size)
{
	char *line = text + strspn(text, " \t\r\n");
	char *end = line + strcspn(line, " \t\r\n");
	char *next = end + strspn(end, " \t\r");

	*out = (struct token){ .lifetime = 0 };
	if (*line == '{')
		return read_json(line, out, why, size);
	if (*next != '\n' && *next != '\0') {
		snprintf(why, size, "there is a blank in the first line");
		return -1;
	}
	if (*next == '\n')
		next++;
	*end = '\0';
	if (!is_token(line) || strlen(line) >= sizeof(out->text)) {
		snprintf(why, size, "%s",
		    *line == '\0' ? "it is empty"
				  : "the first line is no token, or too long");
		return -1;
	}
	snprintf(out->text, sizeof(out->text), "%s", line);
	out->lifetime = read_lifetime(next);
	return 0;
}
