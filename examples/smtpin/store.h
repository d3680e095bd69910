/* SPDX-License-Identifier: MIT */
#ifndef STORE_H
#define STORE_H

/*
 * A message on its way into the mailboxes of its recipients: all of them in
 * SMTP, those that can have it in LMTP.
 */

#include "delivery.h"

/* The mailbox of a recipient. */
struct target {
	struct owner owner;
	bool refused; /* its recipient is, though not at RCPT */
};

/* The data of a transaction. */
struct transaction {
	struct users *users;    /* the map that its recipients were found in */
	struct target *targets; /* one for each recipient, in their order */
	size_t targets_cap;
	struct timespec begun;
};

/* Write the path of the mailbox of recipient I of T to BUF of SIZE bytes;
 * PATH_MAX are enough, as it fitted at RCPT. */
void store_path(const struct delivery *d, const struct transaction *t, size_t i,
    char *buf, size_t size);

/* The delivery callback; USER is a struct delivery.  The data of the
 * transaction are a struct transaction. */
smtpd_deliver_fn store_message;

#endif
