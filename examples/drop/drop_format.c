/* SPDX-License-Identifier: MIT */
#include "drop_format.h"

#include <string.h>

static const char *const keys[] = {
	[DROP_FORMAT_VERSION] = "SMTPOUT-DROP",
	[DROP_FORMAT_SENDER] = "SENDER",
	[DROP_FORMAT_RET] = "RET",
	[DROP_FORMAT_ENVID] = "ENVID",
	[DROP_FORMAT_NOTIFY] = "NOTIFY",
	[DROP_FORMAT_RCPT] = "RCPT",
	[DROP_FORMAT_DATA] = "DATA",
};

#define KEYS (sizeof(keys) / sizeof(keys[0]))

static bool
has_control(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)text[i] < ' ' || text[i] == '\x7f')
			return true;
	return false;
}

/* Whether TEXT can stand between "<" and ">"; smtpout knows the rest of the
 * grammar. */
static bool
is_path(const char *text)
{
	bool quoted = false;

	for (; *text != '\0'; text++) {
		if (*text == '"')
			quoted = !quoted;
		else if (quoted && *text == '\\' && text[1] != '\0')
			text++;
		else if (!quoted && strchr(" <>", *text) != NULL)
			return false;
	}
	return !quoted;
}

/* Whether TEXT is a word of printable ASCII. */
static bool
is_word(const char *text)
{
	if (*text == '\0')
		return false;
	for (; *text != '\0'; text++)
		if (*text <= ' ' || *text > '~')
			return false;
	return true;
}

static bool
read_size(const char *text, uint64_t *size)
{
	*size = 0;
	if (*text == '\0' || strlen(text) > 9 ||
	    strspn(text, "0123456789") != strlen(text))
		return false;
	for (; *text != '\0'; text++)
		*size = *size * 10 + (uint64_t)(*text - '0');
	return true;
}

/* The key that LINE begins with, which is cut off there; KEYS: none. */
static size_t
find_key(char *line, const char **value)
{
	char *blank = strchr(line, ' ');

	if (blank == NULL)
		return KEYS;
	*blank = '\0';
	*value = blank + 1;
	for (size_t i = 0; i < KEYS; i++)
		if (strcmp(line, keys[i]) == 0)
			return i;
	return KEYS;
}

/* Whether a line with KEY may stand behind those that F saw. */
static bool
is_in_order(const struct drop_format *f, enum drop_format_key key)
{
	if (!f->begun)
		return key == DROP_FORMAT_VERSION;
	if (key <= f->key)
		return key == DROP_FORMAT_RCPT && f->key == key;
	if (f->key == DROP_FORMAT_VERSION)
		return key == DROP_FORMAT_SENDER;
	return key != DROP_FORMAT_DATA || f->nrcpts > 0;
}

static const char *
check_value(struct drop_format *f, const char *value)
{
	switch (f->key) {
	case DROP_FORMAT_VERSION:
		return strcmp(value, "1") == 0 ? NULL : "an unknown version";
	case DROP_FORMAT_SENDER:
		return is_path(value) ? NULL : "the sender is no address";
	case DROP_FORMAT_RCPT:
		if (++f->nrcpts > DROP_FORMAT_RCPT_MAX)
			return "too many recipients";
		return *value != '\0' && is_path(value)
		    ? NULL
		    : "a recipient is no address";
	case DROP_FORMAT_DATA:
		if (!read_size(value, &f->size))
			return "the size is no number";
		return f->size <= DROP_FORMAT_SIZE_MAX
		    ? NULL
		    : "the message is larger than 52428800 octets";
	default:
		return is_word(value) ? NULL : "a parameter has a bad value";
	}
}

const char *
drop_format_line(
    struct drop_format *f, char *line, size_t len, const char **value)
{
	size_t key;

	if (has_control(line, len) || len >= DROP_FORMAT_LINE_MAX)
		return "a line with a control character";
	line[len] = '\0';
	key = find_key(line, value);
	if (key == KEYS || !is_in_order(f, (enum drop_format_key)key))
		return f->begun ? "a line where it may not stand"
				: "it does not begin with " DROP_FORMAT_FIRST;
	f->begun = true;
	f->key = (enum drop_format_key)key;
	return check_value(f, *value);
}

const char *
drop_format_content(struct drop_format *f, const char *data, size_t len)
{
	if (len > f->size - f->seen)
		return "more content than the envelope says";
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)data[i];

		if (c == '\0')
			return "the content has a NUL";
		if ((c == '\n') != (f->before == '\r'))
			return "the content has a line that CRLF does not end";
		f->before = c;
		f->column = c == '\n' ? 0 : f->column + 1;
		if (f->column > DROP_FORMAT_TEXT_MAX)
			return "the content has a line of more than 65536 "
			       "octets";
	}
	f->seen += len;
	return NULL;
}

const char *
drop_format_end(const struct drop_format *f)
{
	if (!f->begun || f->key != DROP_FORMAT_DATA)
		return "the envelope has no end";
	if (f->seen < f->size)
		return "less content than the envelope says";
	return f->size == 0 || f->before == '\n'
	    ? NULL
	    : "the content has a line that CRLF does not end";
}
