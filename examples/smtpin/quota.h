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

/* Begin without any.  NULL without memory. */
struct quotas *quotas_create(void);

/* Free QUOTAS and all that it has.  NULL is fine. */
void quotas_destroy(struct quotas *quotas);

/* Find the mailbox PATH, whose root has ROOT_LEN bytes.  It lives as long as
 * QUOTAS.  NULL without memory.  Any thread, as the others below. */
struct quota *quotas_find(
    struct quotas *quotas, const char *path, size_t root_len);

/*
 * Whether a message of SIZE octets, 0: unknown, has room in Q, which may have
 * LIMIT.  Return 0, or -1 with errno: EDQUOT when it has none now, EMSGSIZE
 * when it never can have, or the reason why the mailbox cannot be read.
 */
int quota_check(struct quota *q, uint64_t limit, uint64_t size);

/* The same for a message that has arrived, with SIZE octets; they are reserved
 * until quota_record(). */
int quota_reserve(struct quota *q, uint64_t limit, uint64_t size);

/* The message for which SIZE octets were reserved was stored, or not. */
void quota_record(struct quota *q, uint64_t size, bool stored);

#endif
