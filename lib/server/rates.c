/* SPDX-License-Identifier: MIT */
#include "server/rates.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

/* A bucket is in one of so many sets, found by its key, of so many: 160 KiB. */
#define SETS 1024
#define WAYS 4

struct smtpd_rate_bucket {
	struct smtpd_socket_key key;
	uint64_t empty_at; /* microseconds */
};

/* One thing more in a bucket for N of them in each window. */
struct portion {
	struct smtpd_rate_bucket *bucket; /* NULL: it is free */
	struct smtpd_socket_key key;
	uint64_t empty_at; /* with it */
};

static bool
has_limits(const struct smtpd_rate *rate)
{
	return rate->per_address != SMTPD_NO_LIMIT ||
	    rate->per_network != SMTPD_NO_LIMIT;
}

int
smtpd__rates_begin(struct smtpd_rates *r, const struct smtpd_settings *settings)
{
	struct smtpd_rate *connections = &r->of[SMTPD_RATE_CONNECTIONS];
	struct smtpd_rate *rcpts = &r->of[SMTPD_RATE_RCPTS];

	r->buckets = NULL;
	connections->per_address = settings->connect_rate_per_address;
	connections->per_network = settings->connect_rate_per_network;
	connections->window_ms = settings->connect_rate_ms;
	rcpts->per_address = settings->rcpt_rate_per_address;
	rcpts->per_network = settings->rcpt_rate_per_network;
	rcpts->window_ms = settings->rcpt_rate_ms;
	if (!has_limits(connections) && !has_limits(rcpts))
		return 0;
	r->buckets = calloc((size_t)SETS * WAYS, sizeof(*r->buckets));
	return r->buckets != NULL ? 0 : -1;
}

void
smtpd__rates_finish(struct smtpd_rates *r)
{
	free(r->buckets);
}

/* The bucket of KEY, or the emptiest that it may have. */
static struct smtpd_rate_bucket *
find_bucket(struct smtpd_rates *r, const struct smtpd_socket_key *key)
{
	uint32_t hash =
	    smtpd__hash_bytes(SMTPD_HASH_START, key->bytes, sizeof(key->bytes));
	struct smtpd_rate_bucket *set =
	    r->buckets + (size_t)(hash % SETS) * WAYS;
	struct smtpd_rate_bucket *emptiest = set;

	for (size_t i = 0; i < WAYS; i++) {
		if (memcmp(&set[i].key, key, sizeof(*key)) == 0)
			return &set[i];
		if (set[i].empty_at < emptiest->empty_at)
			emptiest = &set[i];
	}
	return emptiest;
}

/* Find out whether one thing more of KIND by PEER, or its NETWORK, fits; OUT is
 * what it takes. */
static bool
has_room(struct smtpd_rates *r, enum smtpd_rate_kind kind,
    const struct smtpd_sockaddr *peer, bool network, uint64_t now_us,
    struct portion *out)
{
	const struct smtpd_rate *rate = &r->of[kind];
	uint32_t n = network ? rate->per_network : rate->per_address;
	uint64_t window_us = (uint64_t)rate->window_ms * 1000;

	memset(out, 0, sizeof(*out));
	if (n == SMTPD_NO_LIMIT || !smtpd__socket_key(peer, network, &out->key))
		return true;
	out->key.bytes[1] |= (unsigned char)(kind << 1);
	out->bucket = find_bucket(r, &out->key);
	out->empty_at = now_us;
	if (memcmp(&out->bucket->key, &out->key, sizeof(out->key)) == 0 &&
	    out->bucket->empty_at > now_us)
		out->empty_at = out->bucket->empty_at;
	out->empty_at += window_us / n;
	return out->empty_at <= now_us + window_us;
}

static void
fill_portion(const struct portion *p)
{
	if (p->bucket == NULL)
		return;
	p->bucket->key = p->key;
	p->bucket->empty_at = p->empty_at;
}

bool
smtpd__rates_admit(struct smtpd_rates *r, enum smtpd_rate_kind kind,
    const struct smtpd_sockaddr *peer, uint64_t now_ms)
{
	const uint64_t now_us = now_ms * 1000;
	struct portion address, network;

	if (r->buckets == NULL)
		return true;
	if (!has_room(r, kind, peer, false, now_us, &address) ||
	    !has_room(r, kind, peer, true, now_us, &network))
		return false;
	fill_portion(&address);
	/* Both may have been given the same. */
	if (network.bucket != address.bucket)
		fill_portion(&network);
	return true;
}
