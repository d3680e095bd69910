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

bool
smtpd__rates_limit(const struct smtpd_rates *r, enum smtpd_rate_kind kind)
{
	return r->of[kind].per_address != SMTPD_NO_LIMIT ||
	    r->of[kind].per_network != SMTPD_NO_LIMIT;
}

int
smtpd__rates_begin(struct smtpd_rates *r, const struct smtpd_settings *s)
{
	bool limited = false;

	*r = (struct smtpd_rates){
		.of = {
		    [SMTPD_RATE_CONNECTIONS] = { s->connect_rate_per_address,
			s->connect_rate_per_network, s->connect_rate_ms },
		    [SMTPD_RATE_RCPTS] = { s->rcpt_rate_per_address,
			s->rcpt_rate_per_network, s->rcpt_rate_ms },
		    [SMTPD_RATE_AUTH_FAILURES] = {
			s->auth_failure_rate_per_address,
			s->auth_failure_rate_per_network,
			s->auth_failure_rate_ms },
		},
	};
	for (enum smtpd_rate_kind kind = 0; kind < SMTPD_RATES; kind++)
		limited |= smtpd__rates_limit(r, kind);
	if (!limited)
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
find_portion(struct smtpd_rates *r, enum smtpd_rate_kind kind,
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

/* The same for both, the address and its network. */
static bool
find_portions(struct smtpd_rates *r, enum smtpd_rate_kind kind,
    const struct smtpd_sockaddr *peer, uint64_t now_ms, struct portion out[2])
{
	const uint64_t now_us = now_ms * 1000;

	return find_portion(r, kind, peer, false, now_us, &out[0]) &&
	    find_portion(r, kind, peer, true, now_us, &out[1]);
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
	struct portion p[2];

	if (r->buckets == NULL)
		return true;
	if (!find_portions(r, kind, peer, now_ms, p))
		return false;
	fill_portion(&p[0]);
	/* Both may have been given the same. */
	if (p[1].bucket != p[0].bucket)
		fill_portion(&p[1]);
	return true;
}

bool
smtpd__rates_has_room(struct smtpd_rates *r, enum smtpd_rate_kind kind,
    const struct smtpd_sockaddr *peer, uint64_t now_ms)
{
	struct portion p[2];

	return r->buckets == NULL || find_portions(r, kind, peer, now_ms, p);
}
