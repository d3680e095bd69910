/* SPDX-License-Identifier: MIT */
#ifndef STORE_H
#define STORE_H

/*
 * The messages in memory: the newest, so many of them, and so many octets at
 * most, those included that are being received, or sent to a slow browser.  Any
 * thread may use it.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "message.h"

struct store;

/* What a store holds, and how often that has changed. */
struct store_state {
	uint64_t changes;
	size_t count;
	uint64_t octets;
	bool closed; /* the program ends */
};

struct store *store_create(size_t max_messages, uint64_t max_octets);

/* End all waits, and let none begin. */
void store_close(struct store *store);

/* Free STORE and its messages, to which there are no more references. */
void store_destroy(struct store *store);

/* Count OCTETS of memory as taken; the oldest messages make room.  Return -1
 * when there is none all the same. */
int store_reserve(struct store *store, uint64_t octets);

/* Give back what was reserved and not added. */
void store_release(struct store *store, uint64_t octets);

/* Add MESSAGE, whose reference is taken over.  Its cost has been reserved. */
void store_add(struct store *store, struct message *message);

/* Message ID, with a reference; NULL when there is none. */
struct message *store_get(struct store *store, const char *id);

/* One reference to MESSAGE less. */
void store_unref(struct store *store, struct message *message);

/* A part of the messages: the newest LIMIT of those that were added after
 * message AFTER and before BEFORE (NULL, and what is unknown: all). */
struct store_range {
	const char *after, *before;
	size_t limit;
};

/*
 * Write references to the messages in RANGE that match QUERY to OUT, the newest
 * first, and to *TOTAL, how many match without RANGE's limit.  Return how many
 * there are in OUT, which has room for RANGE's limit.
 */
size_t store_select(struct store *store, const struct query *query,
    const struct store_range *range, struct message **out, size_t *total);

/* Remove those that match QUERY; return how many. */
size_t store_remove(struct store *store, const struct query *query);

/* Remove message ID; return whether it was there. */
bool store_remove_id(struct store *store, const char *id);

/* The state of STORE, at once. */
struct store_state store_look(struct store *store);

/* The same, once there were other CHANGES than these, or after MS. */
struct store_state store_wait(
    struct store *store, uint64_t changes, uint64_t ms);

#endif
