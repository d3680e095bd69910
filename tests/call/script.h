/* SPDX-License-Identifier: MIT */
#ifndef CALL_SCRIPT_H
#define CALL_SCRIPT_H

/* Conversations of the client or of the delivery agent with their hosts, read
 * from a file; README has the form. */

#include <stdbool.h>
#include <stddef.h>

#define CALL_HOSTS 8
#define CALL_LINES 512

/* A setting, or a result that is wanted: a word, and the rest of its line. */
struct call_line {
	int number;       /* of the file */
	unsigned message; /* which it is about, or from which on it holds */
	char word[32];
	char rest[600];
};

struct call_lines {
	struct call_line at[CALL_LINES];
	size_t count;
};

/* Of one host. */
struct call_host {
	char script[131072]; /* for a scripted peer */
	bool down;           /* nobody listens there */
	bool away;           /* no network leads there */
	bool full;           /* somebody does, and takes no connection */
};

struct call_script {
	const char *path;
	struct call_host hosts[CALL_HOSTS];
	struct call_lines settings;
	struct call_lines results;
	unsigned messages; /* how many the file is about */
	unsigned message;  /* the present one, for settings */
};

/* Read the file at PATH, or end the program with the line that is wrong. */
void call_script_read(struct call_script *s, const char *path);

/* The rest of the setting NAME, as it is for the present message, or NULL. */
const char *call_script_setting(const struct call_script *s, const char *name);

/* The same as a number, or OTHERWISE without it. */
unsigned long call_script_number(
    const struct call_script *s, const char *name, unsigned long otherwise);

/* Whether it is a number other than 0. */
bool call_script_flag(const struct call_script *s, const char *name);

#endif
