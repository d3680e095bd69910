/* SPDX-License-Identifier: MIT */
#include "resolve/cache.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "os/random.h"

#define BUCKETS 1024

/* One answer: in the list of its bucket, and in that by last use. */
struct entry {
	struct entry *next;
	struct entry *newer;
	struct entry *older;
	struct smtpd_dns_answer *answer;
	uint64_t expires;
	uint32_t hash;
	enum smtpd_dns_type type;
	char name[];
};

struct smtpd_cache {
	pthread_mutex_t lock;
	uint32_t max;
	uint32_t ttl_max_s;
	uint32_t seed;
	uint32_t count;
	struct entry *newest;
	struct entry *oldest;
	struct entry *buckets[BUCKETS];
};

struct smtpd_cache *
smtpd__cache_create(uint32_t max, uint32_t ttl_max_s)
{
	struct smtpd_cache *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return NULL;
	if (pthread_mutex_init(&c->lock, NULL) != 0) {
		free(c);
		return NULL;
	}
	c->max = max;
	c->ttl_max_s = ttl_max_s;
	c->seed = smtpd__random_below(UINT32_MAX);
	return c;
}

static void
free_entry(struct entry *e)
{
	free(e->answer);
	free(e);
}

void
smtpd__cache_destroy(struct smtpd_cache *c)
{
	struct entry *e, *older;

	if (c == NULL)
		return;
	for (e = c->newest; e != NULL; e = older) {
		older = e->older;
		free_entry(e);
	}
	pthread_mutex_destroy(&c->lock);
	free(c);
}

/* The secret start keeps others from choosing names that share a bucket. */
static uint32_t
hash_of(const struct smtpd_cache *c, const char *name, enum smtpd_dns_type type)
{
	unsigned char kind = (unsigned char)type;

	return smtpd__hash_text(smtpd__hash_bytes(c->seed, &kind, 1), name);
}

static struct entry *
find_entry(
    const struct smtpd_cache *c, const char *name, enum smtpd_dns_type type)
{
	uint32_t hash = hash_of(c, name, type);
	struct entry *e = c->buckets[hash % BUCKETS];

	while (e != NULL &&
	    (e->hash != hash || e->type != type || strcmp(e->name, name) != 0))
		e = e->next;
	return e;
}

static void
unlink_use(struct smtpd_cache *c, struct entry *e)
{
	*(e->newer != NULL ? &e->newer->older : &c->newest) = e->older;
	*(e->older != NULL ? &e->older->newer : &c->oldest) = e->newer;
}

static void
link_newest(struct smtpd_cache *c, struct entry *e)
{
	e->newer = NULL;
	e->older = c->newest;
	*(c->newest != NULL ? &c->newest->newer : &c->oldest) = e;
	c->newest = e;
}

static void
forget_entry(struct smtpd_cache *c, struct entry *e)
{
	struct entry **at = &c->buckets[e->hash % BUCKETS];

	while (*at != e)
		at = &(*at)->next;
	*at = e->next;
	unlink_use(c, e);
	c->count--;
	free_entry(e);
}

static struct smtpd_dns_answer *
copy_answer(const struct smtpd_dns_answer *answer)
{
	size_t size = smtpd__dns_message_answer_size(answer->count);
	struct smtpd_dns_answer *copy = malloc(size);

	if (copy != NULL)
		memcpy(copy, answer, size);
	return copy;
}

/* The lock is held. */
static struct smtpd_dns_answer *
get_copy(struct smtpd_cache *c, struct entry *e, uint64_t now)
{
	struct smtpd_dns_answer *copy;

	if (now >= e->expires) {
		forget_entry(c, e);
		return NULL;
	}
	unlink_use(c, e);
	link_newest(c, e);
	copy = copy_answer(e->answer);
	if (copy == NULL)
		return NULL;
	copy->ttl_s = (uint32_t)((e->expires - now) / 1000);
	copy->cached = true;
	return copy;
}

struct smtpd_dns_answer *
smtpd__cache_get(struct smtpd_cache *c, const char *name,
    enum smtpd_dns_type type, uint64_t now)
{
	struct smtpd_dns_answer *copy = NULL;
	struct entry *e;

	pthread_mutex_lock(&c->lock);
	e = find_entry(c, name, type);
	if (e != NULL)
		copy = get_copy(c, e, now);
	pthread_mutex_unlock(&c->lock);
	return copy;
}

static struct entry *
make_entry(const struct smtpd_cache *c, const char *name,
    enum smtpd_dns_type type, const struct smtpd_dns_answer *answer)
{
	size_t len = strlen(name);
	struct entry *e = calloc(1, sizeof(*e) + len + 1);

	if (e == NULL)
		return NULL;
	e->answer = copy_answer(answer);
	if (e->answer == NULL) {
		free(e);
		return NULL;
	}
	memcpy(e->name, name, len + 1);
	e->type = type;
	e->hash = hash_of(c, name, type);
	return e;
}

/* The lock is held. */
static void
insert_entry(struct smtpd_cache *c, struct entry *e)
{
	struct entry **bucket = &c->buckets[e->hash % BUCKETS];
	struct entry *same = find_entry(c, e->name, e->type);

	if (same != NULL)
		forget_entry(c, same);
	while (c->count >= c->max)
		forget_entry(c, c->oldest);
	e->next = *bucket;
	*bucket = e;
	link_newest(c, e);
	c->count++;
}

static uint32_t
allowed_ttl(const struct smtpd_cache *c, const struct smtpd_dns_answer *answer)
{
	uint32_t max = c->ttl_max_s;

	if (answer->status == SMTPD_DNS_FAILED)
		return 0;
	if (answer->status != SMTPD_DNS_FOUND &&
	    max > SMTPD_CACHE_NEGATIVE_MAX_S)
		max = SMTPD_CACHE_NEGATIVE_MAX_S;
	return answer->ttl_s < max ? answer->ttl_s : max;
}

void
smtpd__cache_put(struct smtpd_cache *c, const char *name,
    enum smtpd_dns_type type, struct smtpd_dns_answer *answer, uint64_t now)
{
	struct entry *e;

	answer->ttl_s = allowed_ttl(c, answer);
	if (answer->ttl_s == 0 || answer->count > SMTPD_CACHE_RECORDS_MAX)
		return;
	e = make_entry(c, name, type, answer);
	if (e == NULL)
		return;
	e->expires = now + (uint64_t)answer->ttl_s * 1000;
	pthread_mutex_lock(&c->lock);
	insert_entry(c, e);
	pthread_mutex_unlock(&c->lock);
}
