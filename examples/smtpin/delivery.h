/* SPDX-License-Identifier: MIT */
#ifndef DELIVERY_H
#define DELIVERY_H

/*
 * The part of smtpin in a session: it accepts recipients that the map knows,
 * and stores their mail.
 */

#include <smtpd/maildir.h>
#include <smtpd/server.h>

#include "log.h"
#include "mailbox.h"
#include "quota.h"
#include "users.h"

/* The data that all sessions share. */
struct delivery {
	const char *hostname;
	struct log *log;
	struct users_current users;
	struct mailbox_pattern pattern;
	struct smtpd_maildir *maildir;
	uint64_t min_free; /* bytes of the disk, beside a message */
	uint64_t quota;    /* of users without one of their own; 0: no limit */
	struct quotas *quotas;
};

/* Begin with HOSTNAME and LOG, which D shares; the map, the pattern and limits
 * are set later.  To be finished in any case. */
void delivery_init(struct delivery *d, const char *hostname, struct log *log);

/* Open the root of the pattern, which is set, as is min_free, and begin with
 * quotas.  Return 0, or -1 with errno. */
int delivery_open(struct delivery *d);

/* The quota of OWNER; 0: there is none. */
uint64_t delivery_quota(const struct delivery *d, const struct owner *owner);

/* What is asked of the quota of OWNER for the message of S, of SIZE octets; 0:
 * not known. */
struct quota_request delivery_request(const struct delivery *d,
    const struct smtpd_session *s, const struct owner *owner, uint64_t size);

/* Free what D holds. */
void delivery_finish(struct delivery *d);

/* Register it with SRV, which D must outlive.  Return 0, or -1 without
 * memory. */
int delivery_register(struct delivery *d, struct smtpd_server *srv);

#endif
