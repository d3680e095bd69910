/* SPDX-License-Identifier: MIT */
#ifndef TRANSACTION_H
#define TRANSACTION_H

/*
 * The data of a transaction: its recipients, as the map has them, and the
 * mailboxes that these come to.
 */

#include <stdbool.h>
#include <time.h>

#include "mailbox.h"
#include "quota.h"
#include "users.h"

/* A recipient. */
struct recipient {
	struct owners owners; /* of its mailboxes */
	bool left_out;        /* it gets no copy: it is refused, though not at
	                       * RCPT, or was removed by a filter */
};

struct transaction {
	struct users *users; /* the map that its recipients were found in */
	struct recipient *recipients; /* in their order */
	size_t cap;
	struct timespec begun;
};

/* A mailbox that a message goes to. */
struct target {
	struct owner owner;
	size_t rcpt;         /* the first recipient that has it */
	struct quota *quota; /* in which size is reserved; NULL: none */
	uint64_t size;
	bool dropped; /* it gets no copy */
};

/* Begin one with the map USERS, whose hold is taken over.  NULL without
 * memory. */
struct transaction *transaction_create(struct users *users);

/* Free TRANSACTION. */
void transaction_free(void *transaction);

/* Keep OWNERS as those of recipient I.  Return 0, or -1 without memory. */
int transaction_keep(
    struct transaction *t, size_t i, const struct owners *owners);

/* How many mailboxes the first N recipients have beyond one for each. */
size_t transaction_extra(const struct transaction *t, size_t n);

/* Owner I of OWNERS as P tells them apart: without the domain where a user has
 * one Maildir for all. */
struct owner transaction_owner(
    const struct mailbox_pattern *p, const struct owners *owners, size_t i);

/* Whether recipient I has the mailbox of OWNER, by pattern P. */
bool transaction_has(const struct transaction *t, size_t i,
    const struct mailbox_pattern *p, const struct owner *owner);

/*
 * Write the mailboxes of the first N recipients by pattern P, without those
 * that are left out, to *OUT, each once, in the order of the recipients; the
 * caller frees it.  Return how many there are, with *OUT NULL without memory.
 */
size_t transaction_targets(const struct transaction *t, size_t n,
    const struct mailbox_pattern *p, struct target **out);

#endif
