/* SPDX-License-Identifier: MIT */
#ifndef ALIAS_LINES_H
#define ALIAS_LINES_H

/*
 * The lines of a file in the form of aliases(5), and the words in them.  A line
 * that begins with a blank goes on with the one before; an empty one, and one
 * whose first character is "#", says nothing.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct alias_lines {
	FILE *file;
	char *text; /* the present one, whole */
	size_t len, size;
	unsigned long number; /* where it begins */
	unsigned long read;   /* lines of the file */
	char *next;           /* one that was read ahead */
	size_t next_size;
	bool ahead;
	int error; /* an errno: the rest cannot be read */
};

/* Open PATH.  Return 0, or -1 with errno. */
int alias_lines_open(struct alias_lines *l, const char *path);
void alias_lines_close(struct alias_lines *l);

/* Read the next line that says something into l->text.  Return false at the
 * end, or when the rest cannot be read. */
bool alias_lines_next(struct alias_lines *l);

/* Cut the name before the colon, without blanks around it and quotes, off LINE.
 * Return it, with *REST set to what follows; NULL: there is no colon. */
char *alias_lines_name(char *line, char **rest);

/* Cut the next word off *REST, at commas outside of quotes, without blanks
 * around it; NULL: there are no more. */
char *alias_lines_next_word(char **rest);

/* Take quotes around all of WORD away, but for a quoted local part. */
void alias_lines_unquote(char *word);

#endif
