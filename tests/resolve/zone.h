/* SPDX-License-Identifier: MIT */
#ifndef RESOLVE_ZONE_H
#define RESOLVE_ZONE_H

/* A zone and what is expected of it, read from a file; README has the form. */

#include <stddef.h>

#include "../unit/dns_server.h"

#define ZONE_RECORDS 300
#define ZONE_LINES   100

struct zone_record {
	char name[128];
	unsigned ttl;
	char type[16];
	char data[128];
};

/* A setting, or a step of the test: a word, and the rest of its line. */
struct zone_line {
	int number; /* of the file */
	char word[32];
	char rest[400];
};

struct zone_lines {
	struct zone_line at[ZONE_LINES];
	size_t count;
};

struct zone {
	const char *path;
	struct zone_record records[ZONE_RECORDS];
	size_t nrecords;
	struct zone_lines settings;
	struct zone_lines steps;
};

/* Read the file at PATH, or end the program with the line that is wrong. */
void zone_read(struct zone *z, const char *path);

/* The setting NAME, or OTHERWISE without it. */
const char *zone_setting(
    const struct zone *z, const char *name, const char *otherwise);

/* The same as a number. */
unsigned zone_number(
    const struct zone *z, const char *name, unsigned otherwise);

/* Answer for a server whose user is a zone. */
void zone_answer(void *user, const struct dns_query *q, struct dns_reply *r);

#endif
