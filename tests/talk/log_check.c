/* SPDX-License-Identifier: MIT */
#include "log_check.h"

#include <stdbool.h>
#include <string.h>

#define KEYS_MAX 20

/* A key that was seen. */
struct key {
	const char *at;
	size_t len;
};

/* Whether C may stand in an address, which has "<" and ">" around it. */
static bool
is_address_byte(char c)
{
	return c > ' ' && c <= '~' && c != '<' && c != '>';
}

/* Skip a value; NULL if it is none. */
static const char *
skip_value(const char *s)
{
	if (*s == '<') {
		for (s++; is_address_byte(*s); s++)
			continue;
		return *s == '>' ? s + 1 : NULL;
	}
	if (*s != '"')
		return s + strcspn(s, " ");
	for (s++; *s != '"'; s++)
		if (*s < ' ' || *s > '~' ||
		    (*s == '\\' &&
			(s[1] != 'x' || strspn(s + 2, "0123456789abcdef") < 2)))
			return NULL;
	return s + 1;
}

static bool
is_plain(const char *s, const char *end)
{
	for (; s < end; s++)
		if (*s <= ' ' || *s > '~' || strchr("\"\\=", *s) != NULL)
			return false;
	return true;
}

static bool
is_repeated(const struct key *keys, size_t count)
{
	for (size_t i = 0; i + 1 < count; i++)
		if (keys[i].len == keys[count - 1].len &&
		    memcmp(keys[i].at, keys[count - 1].at, keys[i].len) == 0)
			return true;
	return false;
}

const char *
log_check(const char *line)
{
	struct key keys[KEYS_MAX];
	size_t count = 0;

	for (;;) {
		size_t len = strspn(line, "abcdefghijklmnopqrstuvwxyz_");
		const char *value = line + len + 1;
		const char *end = line + strcspn(line, " ");

		if (len > 0 && line[len] == '=') {
			keys[count++] = (struct key){ line, len };
			if (count == KEYS_MAX || is_repeated(keys, count))
				return "a key stands there twice";
			end = skip_value(value);
			if (end == NULL ||
			    (strchr("\"<", *value) == NULL &&
				!is_plain(value, end)))
				return "a value is not quoted";
		} else if (end == line || !is_plain(line, end)) {
			return "neither a field nor a word";
		}
		if (*end == '\0')
			return NULL;
		if (*end != ' ')
			return "more behind a value";
		line = end + 1;
	}
}
