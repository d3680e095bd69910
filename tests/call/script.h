/* SPDX-License-Identifier: MIT */
#ifndef CALL_SCRIPT_H
#define CALL_SCRIPT_H

/* A conversation of the client or of the delivery agent with its hosts, read
 * from a file; README has the form. */

#include <stdbool.h>
#include <stddef.h>

#define CALL_HOSTS 3
#define CALL_LINES 40

/* A setting, or a result that is wanted: a word, and the rest of its line. */
struct call_line {
	int number; /* of the file */
	char word[32];
	char rest[600];
};

struct call_lines {
	struct call_line at[CALL_LINES];
	size_t count;
};

struct call_script {
	const char *path;
	char hosts[CALL_HOSTS][8192]; /* for a scripted peer */
	bool down[CALL_HOSTS];        /* nobody listens there */
	struct call_lines settings;
	struct call_lines results;
};

/* Read the file at PATH, or end the program with the line that is wrong. */
void call_script_read(struct call_script *s, const char *path);

/* The rest of the setting NAME, or NULL. */
const char *call_script_setting(const struct call_script *s, const char *name);

/* The same as a number; 0 without it. */
unsigned long call_script_number(const struct call_script *s, const char *name);

#endif
