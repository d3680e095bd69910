/* SPDX-License-Identifier: MIT */
#include "alias_lines.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "blanks.h"

int
alias_lines_open(struct alias_lines *l, const char *path)
{
	*l = (struct alias_lines){ .file = fopen(path, "re") };
	return l->file != NULL ? 0 : -1;
}

void
alias_lines_close(struct alias_lines *l)
{
	fclose(l->file);
	free(l->text);
	free(l->next);
}

/* Read a line of the file into l->next, unless there is one. */
static bool
read_ahead(struct alias_lines *l)
{
	ssize_t n;

	if (l->ahead)
		return true;
	errno = 0;
	n = getline(&l->next, &l->next_size, l->file);
	if (n == -1) {
		l->error = ferror(l->file) || errno == ENOMEM ? errno : 0;
		return false;
	}
	l->read++;
	if (strlen(l->next) != (size_t)n) {
		l->error = EILSEQ;
		return false;
	}
	while (n > 0 && strchr("\r\n", l->next[n - 1]) != NULL)
		l->next[--n] = '\0';
	l->ahead = true;
	return true;
}

/* Append the line that was read ahead.  Return false without memory. */
static bool
append_line(struct alias_lines *l)
{
	size_t len = strlen(l->next);
	char *more;

	if (l->len + len + 1 > l->size) {
		more = realloc(l->text, l->len + len + 1024);
		if (more == NULL) {
			l->error = ENOMEM;
			return false;
		}
		l->text = more;
		l->size = l->len + len + 1024;
	}
	memcpy(l->text + l->len, l->next, len + 1);
	l->len += len;
	l->ahead = false;
	return true;
}

static bool
says_nothing(const char *line)
{
	line += strspn(line, " \t");
	return *line == '\0' || *line == '#';
}

bool
alias_lines_next(struct alias_lines *l)
{
	l->len = 0;
	while (read_ahead(l)) {
		bool more = *l->next == ' ' || *l->next == '\t';

		if (says_nothing(l->next)) {
			l->ahead = false;
			continue;
		}
		if (l->len > 0 && !more)
			return true;
		if (l->len == 0)
			l->number = l->read;
		if (!append_line(l))
			return false;
	}
	return l->len > 0 && l->error == 0;
}

/* The first of the characters ENDS at TEXT or behind, outside of quotes; the
 * end where there is none. */
static char *
find_end(char *text, const char *ends)
{
	bool quoted = false;

	for (; *text != '\0'; text++) {
		if (*text == '"')
			quoted = !quoted;
		else if (quoted && *text == '\\' && text[1] != '\0')
			text++;
		else if (!quoted && strchr(ends, *text) != NULL)
			break;
	}
	return text;
}

char *
alias_lines_name(char *line, char **rest)
{
	char *colon = find_end(line, ":");

	if (*colon == '\0')
		return NULL;
	*colon = '\0';
	*rest = colon + 1;
	return blanks_trim(line);
}

char *
alias_lines_next_word(char **rest)
{
	while (**rest != '\0') {
		char *word = *rest, *end = find_end(word, ",");

		*rest = *end != '\0' ? end + 1 : end;
		*end = '\0';
		word = blanks_trim(word);
		if (*word != '\0')
			return word;
	}
	return NULL;
}

void
alias_lines_unquote(char *word)
{
	size_t len = strlen(word);

	if (len < 2 || *word != '"' || word[len - 1] != '"' ||
	    strchr("|/:\\", word[1]) == NULL)
		return;
	memmove(word, word + 1, len - 2);
	word[len - 2] = '\0';
}
