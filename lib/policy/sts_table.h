/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_POLICY_STS_TABLE_H
#define SMTPD_POLICY_STS_TABLE_H

/*
 * What is known of policies of MTA-STS, by domain, in memory and on the disk.
 * Bounded: what was not used for the longest time makes room.  It has no lock.
 */

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/name_table.h"
#include "client/tls_policy.h"
#include "grammar/sts_policy.h"
#include "grammar/sts_record.h"

/* The text of a policy, which all who use it share. */
struct smtpd_sts_text {
	atomic_uint refs;
	size_t len;
	char at[];
};

/* A text with a copy of LEN octets, and one reference; NULL without memory. */
struct smtpd_sts_text *smtpd__sts_table_text(const char *at, size_t len);

/* One reference less; NULL is fine. */
void smtpd__sts_table_unref_text(struct smtpd_sts_text *text);

/* What is known of a domain. */
struct smtpd_sts_entry {
	struct smtpd_named node;
	bool busy;   /* a thread looks for it, so it is not freed */
	bool wanted; /* it was needed when a look was due */
	struct smtpd_sts_text *text; /* NULL: no policy */
	struct smtpd_sts_policy policy;
	char id[SMTPD_STS_ID_SIZE];
	uint64_t fetched_s;
	uint64_t look_s; /* no look at the record before that */
	uint64_t used_s;
	enum smtpd_tls_failure failure;
	char domain[];
};

/* All zero but directory: empty, and not to be used before it was begun. */
struct smtpd_sts_table {
	struct smtpd_name_table names;
	size_t texts;  /* octets */
	int directory; /* of sts_file.h; -1: none */
};

/* Begin an empty table with the policies in DIRECTORY (NULL: none).  Return 0,
 * or -1 with errno. */
int smtpd__sts_table_begin(struct smtpd_sts_table *t, const char *directory);

/* Forget all, but on the disk.  No entry may be busy. */
void smtpd__sts_table_finish(struct smtpd_sts_table *t);

/* NULL: nothing is known of DOMAIN. */
struct smtpd_sts_entry *smtpd__sts_table_find(
    const struct smtpd_sts_table *t, const char *domain);

/* Add DOMAIN, which is not in T.  NULL without memory. */
struct smtpd_sts_entry *smtpd__sts_table_add(
    struct smtpd_sts_table *t, const char *domain);

/* Give E the policy of TEXT, of which it takes the reference over.  Others may
 * be forgotten for it. */
void smtpd__sts_table_set(struct smtpd_sts_table *t, struct smtpd_sts_entry *e,
    struct smtpd_sts_text *text, const char *id, uint64_t fetched_s);

/* Forget the policy of E, on the disk too. */
void smtpd__sts_table_unset(
    struct smtpd_sts_table *t, struct smtpd_sts_entry *e);

/* When the policy of E ends, and whether it has one at NOW. */
uint64_t smtpd__sts_table_end(const struct smtpd_sts_entry *e);
bool smtpd__sts_table_has_policy(const struct smtpd_sts_entry *e, uint64_t now);

/* The next entry in or behind bucket *BUCKET, at first 0, for which IS_DUE says
 * so at NOW; NULL: there is none. */
struct smtpd_sts_entry *smtpd__sts_table_next(struct smtpd_sts_table *t,
    uint32_t *bucket,
    bool (*is_due)(const struct smtpd_sts_entry *e, uint64_t now),
    uint64_t now);

#endif
