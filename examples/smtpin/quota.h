/* SPDX-License-Identifier: MIT */
#ifndef QUOTA_H
#define QUOTA_H

/*
 * How full the mailboxes with a quota are.  Each is gone through once, its
 * deliveries are counted from then on, and it is gone through again where that
 * may matter: the owner deletes mail, or stores some.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* For how long what was found out counts, in seconds: that mail may have been
 * added by others, and the size of a message that had no room. */
#define QUOTA_SCAN_AGE   900
#define QUOTA_REFUSE_AGE 3600

/* A mailbox is gone through again no sooner than after a second, and after so
 * many times the time that it took: 1 % of one processor at most. */
#define QUOTA_SCAN_SHARE 100

/* The mailboxes that are known: opaque. */
struct quotas;

/* One of them: opaque. */
struct quota;

/* A message that is to have room. */
struct quota_request {
	uint64_t limit;     /* what the mailbox may have, in octets */
	uint64_t size;      /* of the message; 0: unknown */
	const char *peer;   /* the address of its client */
	const char *sender; /* the reverse-path */
	uint64_t used;      /* set: what there is, and is on its way */
	bool refused;       /* set: it has no room */
};

/* Begin without any.  NULL without memory. */
struct quotas *quotas_create(void);

/* Free QUOTAS and all that it has.  NULL is fine. */
void quotas_destroy(struct quotas *quotas);

/* Find the mailbox PATH, whose root has ROOT_LEN bytes.  It lives as long as
 * QUOTAS.  NULL without memory.  Any thread, as the others below. */
struct quota *quotas_find(
    struct quotas *quotas, const char *path, size_t root_len);

/*
 * Whether the message R has room in Q.  Where its size is unknown, that of the
 * last one counts which quota_remember() has of the same client and sender, or
 * else 1 octet; r->size is set to it.  Return 0, or -1 with errno: EDQUOT when
 * it has no room now, EMSGSIZE when it never can have, or the reason why the
 * mailbox cannot be read.
 */
int quota_check(struct quota *q, struct quota_request *r);

/* The same for a message that has arrived; its octets are reserved until
 * quota_record(). */
int quota_reserve(struct quota *q, struct quota_request *r);

/* The message R, which had no room, is to come again: remember it for
 * QUOTA_REFUSE_AGE, instead of the one before, or until it, or another one of
 * its client and sender, has room. */
void quota_remember(struct quota *q, const struct quota_request *r);

/* The message for which SIZE octets were reserved was stored, or not. */
void quota_record(struct quota *q, uint64_t size, bool stored);

#endif
