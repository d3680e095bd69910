/* SPDX-License-Identifier: MIT */
#ifndef TALK_SCRIPT_H
#define TALK_SCRIPT_H

/* A conversation file, read. */

#include "bytes.h"

enum step_kind {
	STEP_SEND,    /* write the bytes at once */
	STEP_LINE,    /* this line comes */
	STEP_PREFIX,  /* a line comes that begins so */
	STEP_REPLY,   /* a whole reply with this code comes */
	STEP_SILENCE, /* for so many milliseconds nothing comes */
	STEP_CLOSED,  /* the server closes, and sends nothing before */
	STEP_DONE,    /* the client sends no more */
	STEP_GONE,    /* the client goes */
};

struct step {
	enum step_kind kind;
	int line; /* of the file */
	struct bytes bytes;
	int number; /* the code, or the milliseconds */
	int times;  /* how often it comes */
};

/* A word, and the rest of its line: a setting, a counter, an event. */
struct entry {
	int line;
	char word[32];
	struct bytes rest;
};

struct entries {
	struct entry *list;
	size_t count;
};

struct script {
	const char *path;
	struct step *steps;
	size_t nsteps;
	struct entries settings;
	struct entries events; /* the word is empty */
	struct entries counts;
};

/* Read the file at PATH, or die with the line that is wrong. */
void script_read(struct script *s, const char *path);

void script_finish(struct script *s);

/* Add a copy of LEN bytes at REST, unescaped; false: bad escape. */
bool entries_add(struct entries *list, int line, const char *word,
    const char *rest, size_t len);

void entries_finish(struct entries *list);

#endif
