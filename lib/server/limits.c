/* SPDX-License-Identifier: MIT */
#include "server/limits.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

struct smtpd_peer_count {
	struct smtpd_socket_key key;
	uint32_t count;
	struct smtpd_peer_count *next;
};

void
smtpd__limits_init(
    struct smtpd_limits *l, const struct smtpd_settings *settings)
{
	memset(l, 0, sizeof(*l));
	l->settings = settings;
}

void
smtpd__limits_finish(struct smtpd_limits *l)
{
	for (size_t i = 0; i < SMTPD_PEERS_BUCKETS; i++) {
		while (l->buckets[i] != NULL) {
			struct smtpd_peer_count *p = l->buckets[i];

			l->buckets[i] = p->next;
			free(p);
		}
	}
}

static struct smtpd_peer_count **
bucket_of(struct smtpd_limits *l, const struct smtpd_socket_key *key)
{
	uint32_t hash =
	    smtpd__hash_bytes(SMTPD_HASH_START, key->bytes, sizeof(key->bytes));

	return &l->buckets[hash % SMTPD_PEERS_BUCKETS];
}

/* The count for KEY, made if there is none yet. */
static struct smtpd_peer_count *
count_for(struct smtpd_limits *l, const struct smtpd_socket_key *key)
{
	struct smtpd_peer_count **bucket = bucket_of(l, key);
	struct smtpd_peer_count *p;

	for (p = *bucket; p != NULL; p = p->next)
		if (memcmp(&p->key, key, sizeof(*key)) == 0)
			return p;
	p = calloc(1, sizeof(*p));
	if (p == NULL)
		return NULL;
	p->key = *key;
	p->next = *bucket;
	*bucket = p;
	return p;
}

/* Free P when nobody is counted in it. */
static void
drop_unused(struct smtpd_limits *l, struct smtpd_peer_count *p)
{
	struct smtpd_peer_count **at;

	if (p == NULL || p->count > 0)
		return;
	at = bucket_of(l, &p->key);
	while (*at != p)
		at = &(*at)->next;
	*at = p->next;
	free(p);
}

static bool
is_over(uint32_t count, uint32_t limit)
{
	return limit != SMTPD_NO_LIMIT && count >= limit;
}

/* Whether the address, network or user of SLOT has its share already. */
static bool
has_share(const struct smtpd_limits *l, const struct smtpd_slot *slot)
{
	const struct smtpd_settings *s = l->settings;

	if (slot->address == NULL)
		return false;
	if (slot->network == NULL)
		return is_over(slot->address->count, s->max_per_user);
	return is_over(slot->address->count, s->max_per_address) ||
	    is_over(slot->network->count, s->max_per_network);
}

bool
smtpd__limits_are_near(const struct smtpd_limits *l)
{
	uint32_t max = l->settings->max_connections;

	return is_over(l->connections - l->leaving,
	    max == SMTPD_NO_LIMIT ? max : max - max / 10);
}

/*
 * How many connections there may be with one more of SLOT.  The last tenth is
 * for addresses and users that have none: a few busy clients cannot lock out
 * the rest of the world.  Root's mail says what is wrong with the machine: it
 * has a tenth more, and one.
 */
static uint64_t
most_with(
    const struct smtpd_limits *l, const struct smtpd_slot *slot, bool is_root)
{
	uint64_t max = l->settings->max_connections;

	if (max == SMTPD_NO_LIMIT)
		return UINT64_MAX;
	if (is_root)
		return max + max / 10 + 1;
	if (slot->address != NULL && slot->address->count > 0)
		return max - max / 10;
	return max;
}

static enum smtpd_admission
judge_slot(
    const struct smtpd_limits *l, const struct smtpd_slot *slot, bool is_root)
{
	uint64_t most = most_with(l, slot, is_root);
	uint32_t now = l->connections - l->leaving;
	bool shared = !is_root && has_share(l, slot);

	if (now < most)
		return shared ? SMTPD_ADMISSION_PEER_FULL : SMTPD_ADMISSION_OK;
	return now == most && !shared ? SMTPD_ADMISSION_FULL
				      : SMTPD_ADMISSION_OVERFULL;
}

/* Find the counters of PEER, or of the user *UID.  Return 0, or -1 without
 * memory. */
static int
find_slot(struct smtpd_limits *l, const struct smtpd_sockaddr *peer,
    const uid_t *uid, struct smtpd_slot *slot)
{
	struct smtpd_socket_key key;

	memset(slot, 0, sizeof(*slot));
	if (uid != NULL) {
		memset(&key, 0, sizeof(key));
		key.bytes[0] = 1;
		memcpy(key.bytes + 2, uid, sizeof(*uid));
	} else if (smtpd__socket_key(peer, true, &key)) {
		slot->network = count_for(l, &key);
		if (slot->network == NULL)
			return -1;
		smtpd__socket_key(peer, false, &key);
	} else {
		return 0;
	}
	slot->address = count_for(l, &key);
	return slot->address != NULL ? 0 : -1;
}

enum smtpd_admission
smtpd__limits_admit(struct smtpd_limits *l, const struct smtpd_sockaddr *peer,
    const uid_t *uid, struct smtpd_slot *slot)
{
	enum smtpd_admission status = SMTPD_ADMISSION_NO_MEMORY;

	if (find_slot(l, peer, uid, slot) == 0)
		status = judge_slot(l, slot, uid != NULL && *uid == 0);
	if (status != SMTPD_ADMISSION_OK) {
		drop_unused(l, slot->address);
		drop_unused(l, slot->network);
		return status;
	}
	slot->occupied = true;
	l->connections++;
	if (slot->address != NULL)
		slot->address->count++;
	if (slot->network != NULL)
		slot->network->count++;
	return SMTPD_ADMISSION_OK;
}

void
smtpd__limits_leave(struct smtpd_limits *l, struct smtpd_slot *slot)
{
	if (!slot->occupied)
		return;
	slot->occupied = false;
	l->connections--;
	if (slot->address != NULL)
		slot->address->count--;
	if (slot->network != NULL)
		slot->network->count--;
	drop_unused(l, slot->address);
	drop_unused(l, slot->network);
}
