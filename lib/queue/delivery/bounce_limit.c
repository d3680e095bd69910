/* SPDX-License-Identifier: MIT */
#include "queue/delivery/bounce_limit.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/hash.h"

#define WINDOW_MS UINT64_C(60000)

/* Senders are told apart by a hash, so that their number is bounded: two that
 * share a slot share the limit. */
#define SLOTS 1024

struct slot {
	uint64_t since; /* the window began */
	uint32_t count;
};

struct smtpd_bounce_limit {
	pthread_mutex_t lock;
	uint32_t max;
	struct slot slots[SLOTS];
};

struct smtpd_bounce_limit *
smtpd__bounce_limit_create(uint32_t max)
{
	struct smtpd_bounce_limit *l = calloc(1, sizeof(*l));

	if (l == NULL)
		return NULL;
	pthread_mutex_init(&l->lock, NULL);
	l->max = max;
	return l;
}

void
smtpd__bounce_limit_destroy(struct smtpd_bounce_limit *l)
{
	if (l == NULL)
		return;
	pthread_mutex_destroy(&l->lock);
	free(l);
}

bool
smtpd__bounce_limit_allows(
    struct smtpd_bounce_limit *l, const char *sender, uint64_t now)
{
	uint32_t hash = smtpd__hash_text_lower(SMTPD_HASH_START, sender);
	struct slot *slot = &l->slots[hash % SLOTS];
	bool allowed;

	pthread_mutex_lock(&l->lock);
	if (slot->count == 0 || now - slot->since >= WINDOW_MS) {
		slot->since = now;
		slot->count = 0;
	}
	allowed = slot->count < l->max;
	if (allowed)
		slot->count++;
	pthread_mutex_unlock(&l->lock);
	return allowed;
}
