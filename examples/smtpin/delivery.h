/* SPDX-License-Identifier: MIT */
#ifndef DELIVERY_H
#define DELIVERY_H

/* What smtpin does in a session: which recipients it takes, and how it keeps
 * their mail. */

#include <stdint.h>
#include <time.h>

#include <smtpd/maildir.h>
#include <smtpd/server.h>

#include "log.h"
#include "mailbox.h"
#include "users.h"

/* The free space where the mailboxes are, looked at once a second. */
struct space {
	pthread_mutex_t guard;
	time_t when;
	uint64_t free; /* bytes */
};

/* What all sessions share. */
struct delivery {
	const char *hostname;
	struct log *log;
	struct users_current users;
	struct mailbox_pattern pattern;
	struct smtpd_maildir *maildir;
	struct space space;
};

/* Begin with what HOSTNAME and LOG, which D shares, say; the map and the
 * pattern are set later.  Return 0, or -1 without memory.  To be finished in
 * any case. */
int delivery_init(struct delivery *d, const char *hostname, struct log *log);

/* Free what D holds. */
void delivery_finish(struct delivery *d);

/* Register it with SRV, which D must outlive.  Return 0, or -1 without
 * memory. */
int delivery_register(struct delivery *d, struct smtpd_server *srv);

#endif
