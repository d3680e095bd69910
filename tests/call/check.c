/* SPDX-License-Identifier: MIT */
#include "check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../unit/test.h"

bool
call_check_is_present(const struct call_script *s, const struct call_line *line)
{
	return line->message == s->message;
}

bool
call_check_wants(const struct call_script *s, const char *word)
{
	for (size_t i = 0; i < s->results.count; i++)
		if (call_check_is_present(s, &s->results.at[i]) &&
		    strcmp(s->results.at[i].word, word) == 0)
			return true;
	return false;
}

bool
call_check_covers(const struct call_line *line, size_t i)
{
	char *end;
	unsigned long from = strtoul(line->word, &end, 10);
	unsigned long to = *end == '-' ? strtoul(end + 1, NULL, 10) : from;

	return strcmp(line->word, "all") == 0 || (from <= i + 1 && i + 1 <= to);
}

static bool
is_wanted(const struct call_line *line, const char *got)
{
	size_t len = strlen(line->rest);

	if (len > 0 && line->rest[len - 1] == '*')
		return strncmp(line->rest, got, len - 1) == 0;
	return strcmp(line->rest, got) == 0;
}

void
call_check_line(
    const struct call_script *s, const struct call_line *line, const char *got)
{
	if (!is_wanted(line, got))
		fail_msg("%s:%d: %s %.600s, not %s", s->path, line->number,
		    line->word, got, line->rest);
}

void
call_check_lines(const struct call_script *s, const char *word, const char *got)
{
	if (!call_check_wants(s, word))
		return;
	for (size_t i = 0; i < s->results.count; i++) {
		const struct call_line *line = &s->results.at[i];
		size_t len = strcspn(got, "\n");
		char text[1024];

		if (!call_check_is_present(s, line) ||
		    strcmp(line->word, word) != 0 || line->rest[0] == '\0')
			continue;
		snprintf(text, sizeof(text), "%.*s", (int)len, got);
		call_check_line(s, line, text);
		got += len + (got[len] != '\0');
	}
	if (*got != '\0')
		fail_msg("%s: more of %s: %s", s->path, word, got);
}

void
call_check_unknown(const struct call_script *s, const struct call_line *line)
{
	fail_msg("%s:%d: no such result", s->path, line->number);
}

const char *
call_check_outcome(const struct smtpd_result *r)
{
	static const char *const names[] = { "sent", "temporary", "permanent",
		"in_doubt" };

	return names[r->outcome];
}

void
call_check_escape(const char *text, size_t len, char *out, size_t size)
{
	size_t n = 0;

	for (size_t i = 0; i < len && n < size - 2; i++) {
		bool special = text[i] == '\n' || text[i] == '\r';

		if (special)
			out[n++] = '\\';
		out[n++] = !special ? text[i] : text[i] == '\n' ? 'n' : 'r';
	}
	out[n] = '\0';
}
