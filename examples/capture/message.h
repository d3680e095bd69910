/* SPDX-License-Identifier: MIT */
#ifndef MESSAGE_H
#define MESSAGE_H

/*
 * One captured message: its octets, and what is shown and asked of it.  It does
 * not change once it is in the store.
 */

#include <glib.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct message {
	char *id; /* that of the reply to the client */
	char *octets;
	size_t size;
	char *summary; /* a JSON object */

	/* What queries ask for, in folded case. */
	char **from; /* addresses of the envelope and of the header */
	char **to;
	char *subject;
	char *text; /* header fields and the beginning of the text */

	/* Of the store. */
	unsigned refs;
	size_t cost; /* octets of memory that it counts for */
};

/* Which messages are meant; NULL: all, whatever they have there. */
struct query {
	char *from, *to; /* an address; "@domain"; or a part of one */
	char *subject;   /* a part of it */
	char **words;    /* that all stand somewhere in the text */
};

/* Make a message that has nothing, with one reference. */
struct message *message_new(void);

/* Free MESSAGE; NULL is fine. */
void message_free(struct message *message);

/* How many octets of memory MESSAGE takes, about. */
size_t message_cost(const struct message *message);

/* Fill QUERY in from the texts of a client, each of which may be NULL. */
void query_init(struct query *query, const char *from, const char *to,
    const char *subject, const char *words);

void query_finish(struct query *query);

/* Whether MESSAGE is one of those that QUERY means. */
bool query_matches(const struct query *query, const struct message *message);

#endif
