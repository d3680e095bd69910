/* SPDX-License-Identifier: MIT */
#ifndef OPTIONS_H
#define OPTIONS_H

/*
 * The command line of a daemon, and its configuration file: a table of rules
 * says which options there are and where in a struct of settings each is kept.
 * What several programs take stands in one table that theirs share.  Besides
 * those of the table there are always --config FILE, --help and --version.
 */

#include <stddef.h>
#include <stdint.h>

/* Options of a table; no more than this. */
#define OPTIONS_MAX 60

/* What an option takes, and what is at its offset in the settings. */
enum option_kind {
	OPTION_SWITCH,  /* nothing; a bool */
	OPTION_TEXT,    /* any text; a char * */
	OPTION_LIST,    /* any text, repeatedly; a struct text_list */
	OPTION_NUMBER,  /* a number from min to max; a uint64_t */
	OPTION_LEVEL,   /* a log level, a name or a number to 255; an int */
	OPTION_REFUSED, /* anything, but not here: help says why */
	OPTION_SHARED,  /* as the shared table says; help, if not NULL, here */
};

struct option_rule {
	const char *name; /* without hyphens */
	char letter;      /* the short option; 0: none */
	enum option_kind kind;
	const char *argument; /* its name in the help; NULL: takes none */
	const char *help;
	size_t offset; /* in the settings */
	uint64_t min;  /* for a number */
	uint64_t max;
};

struct option_table {
	const char *program; /* its name */
	const char *usage;   /* the first lines of the help */
	const struct option_rule *rules;
	size_t count;
	const struct option_table *shared; /* only its rules matter */
	size_t shared_offset; /* in the settings, of what they fill in */
};

/* What options_read() returns when the program is to go on. */
#define OPTIONS_GO (-1)

/*
 * Read the command line, and the files that --config names before the rest of
 * it, into SETTINGS, which holds the defaults and NULL for each text.  A later
 * option replaces an earlier one, and the command line the files.
 *
 * Return OPTIONS_GO, or the status to exit with after --help and --version
 * (0) and after a mistake (EX_USAGE, EX_CONFIG, EX_NOINPUT, EX_OSERR), which
 * was told on stderr.  SETTINGS must be finished in any case.
 */
int options_read(
    const struct option_table *table, int argc, char **argv, void *settings);

/* Free the texts in SETTINGS. */
void options_finish(const struct option_table *table, void *settings);

/* Write the help to BUF of SIZE bytes, cut off there. */
void options_help(const struct option_table *table, char *buf, size_t size);

#endif
