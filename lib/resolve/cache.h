/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_RESOLVE_CACHE_H
#define SMTPD_RESOLVE_CACHE_H

/*
 * Answers of the DNS, each kept as long as its TTL says, the least recently
 * used forgotten first.  Any number of threads may use one at a time.  Times
 * are those of smtpd__clock_ms().
 */

#include <stdint.h>

#include "resolve/dns_message.h"

/* An answer that there is nothing is kept no longer, in seconds. */
#define SMTPD_CACHE_NEGATIVE_MAX_S 300

/* An answer with more records is not kept. */
#define SMTPD_CACHE_RECORDS_MAX 32

struct smtpd_cache;

/* Keep up to MAX answers, each for TTL_MAX_S seconds at most.  NULL without
 * memory. */
struct smtpd_cache *smtpd__cache_create(uint32_t max, uint32_t ttl_max_s);
void smtpd__cache_destroy(struct smtpd_cache *c);

/* A copy of what was put for the records of TYPE of NAME, in lower case, with
 * what is left of its TTL; the caller frees it.  NULL: nothing is known. */
struct smtpd_dns_answer *smtpd__cache_get(struct smtpd_cache *c,
    const char *name, enum smtpd_dns_type type, uint64_t now);

/* Shorten ANSWER's TTL to what the cache allows, and keep a copy, unless it
 * is a failure or too large. */
void smtpd__cache_put(struct smtpd_cache *c, const char *name,
    enum smtpd_dns_type type, struct smtpd_dns_answer *answer, uint64_t now);

#endif
