/* SPDX-License-Identifier: MIT */
#ifndef OPTION_TABLE_H
#define OPTION_TABLE_H

/*
 * The options that a daemon has: a table of rules says what each takes, and
 * where in a struct of settings it is kept.
 */

#include <stddef.h>
#include <stdint.h>

/* How many options a table may have. */
#define OPTIONS_MAX 120

/* The value that an option takes, and its type in the settings. */
enum option_kind {
	OPTION_SWITCH,  /* nothing; a bool */
	OPTION_TEXT,    /* any text; a char * */
	OPTION_HOST,    /* the name of a host, with or without a last dot; a
	                 * char * without it */
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
	const char *help;     /* "@" in that of a number is its default */
	size_t offset;        /* in the settings */
	uint64_t min;         /* for a number */
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

/* The first rule of TABLE that has NAME, or the count of its rules. */
size_t option_table_find(const struct option_table *table, const char *name);

/* Rule I of TABLE; a shared one as the shared table says. */
struct option_rule option_table_rule(
    const struct option_table *table, size_t i);

/* Set the option of RULE in SETTINGS to TEXT, NULL for a switch.  Return 0,
 * EX_USAGE when RULE does not take TEXT, or EX_OSERR. */
int option_table_set(
    const struct option_rule *rule, void *settings, const char *text);

/* Write to BUF of SIZE bytes why RULE does not take TEXT. */
void option_table_explain(
    const struct option_rule *rule, const char *text, char *buf, size_t size);

/* Write the help to BUF of SIZE bytes, cut off there.  SETTINGS hold the
 * defaults. */
void option_table_help(const struct option_table *table, const void *settings,
    char *buf, size_t size);

/* Free the texts in SETTINGS. */
void option_table_finish(const struct option_table *table, void *settings);

#endif
