/* SPDX-License-Identifier: MIT */
#ifndef SETTINGS_WORDS_H
#define SETTINGS_WORDS_H

/*
 * The settings of a daemon, the one whose settings.h is found, from the words
 * of a command line.
 */

#include <stdio.h>

#include "settings.h"

#define WORDS_MAX 20

/* Read the words at WORDS, up to NULL, behind a name for the host. */
static inline int
settings_words(const char *const *words, struct settings *s)
{
	char copies[WORDS_MAX + 2][128];
	char *argv[WORDS_MAX + 3] = { copies[0], copies[1] };
	int argc = 2;

	snprintf(copies[0], sizeof(copies[0]), PROGRAM);
	snprintf(copies[1], sizeof(copies[1]), "-Hhost.example.org");
	for (; *words != NULL; words++, argc++) {
		snprintf(copies[argc], sizeof(copies[argc]), "%s", *words);
		argv[argc] = copies[argc];
	}
	return settings_read(argc, argv, s);
}

#endif
