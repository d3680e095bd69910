/* SPDX-License-Identifier: MIT */
#include "queue/delivery/hoststat.h"

#include <netinet/in.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "os/random.h"
#include "queue/schedule/retry.h"

/* An address is looked for in one row of the table only: what is forgotten
 * there is the record that was not changed for the longest time. */
#define ROWS    256
#define COLUMNS 8

#define DOWN_MS       UINT64_C(60000)
#define DOWN_MAX_MS   UINT64_C(3600000)
#define TLS_BROKEN_MS UINT64_C(86400000)

/* The record of an address; all zero: none. */
struct record {
	unsigned char address[16]; /* IPv4 as mapped into IPv6 */
	uint64_t changed;
	uint64_t down_until;
	uint64_t tls_broken_until;
	unsigned failures; /* in a row */
};

struct smtpd_hoststat {
	pthread_mutex_t mutex;
	uint32_t seed; /* keeps others from choosing addresses of one row */
	struct record rows[ROWS][COLUMNS];
};

struct smtpd_hoststat *
smtpd__hoststat_create(void)
{
	struct smtpd_hoststat *h = calloc(1, sizeof(*h));

	if (h == NULL)
		return NULL;
	if (pthread_mutex_init(&h->mutex, NULL) != 0) {
		free(h);
		return NULL;
	}
	smtpd__random_bytes(&h->seed, sizeof(h->seed));
	return h;
}

void
smtpd__hoststat_destroy(struct smtpd_hoststat *h)
{
	if (h == NULL)
		return;
	pthread_mutex_destroy(&h->mutex);
	free(h);
}

static void
read_address(const struct smtpd_target *target, unsigned char out[16])
{
	const struct sockaddr_in *in =
	    (const struct sockaddr_in *)&target->addr;
	const struct sockaddr_in6 *in6 =
	    (const struct sockaddr_in6 *)&target->addr;

	memset(out, 0, 16);
	if (target->addr.ss_family == AF_INET6) {
		memcpy(out, &in6->sin6_addr, 16);
		return;
	}
	out[10] = out[11] = 0xff;
	memcpy(out + 12, &in->sin_addr, 4);
}

static struct record *
row_of(struct smtpd_hoststat *h, const unsigned char address[16])
{
	uint32_t hash =
	    smtpd__hash_bytes(SMTPD_HASH_START ^ h->seed, address, 16);

	return h->rows[smtpd__hash_spread(hash) % ROWS];
}

static struct record *
find_record(struct smtpd_hoststat *h, const struct smtpd_target *target)
{
	unsigned char address[16];
	struct record *row;

	read_address(target, address);
	row = row_of(h, address);
	for (size_t i = 0; i < COLUMNS; i++)
		if (row[i].changed != 0 &&
		    memcmp(row[i].address, address, sizeof(address)) == 0)
			return &row[i];
	return NULL;
}

/* The record of TARGET, to be changed at NOW; the oldest makes room for a new
 * one. */
static struct record *
obtain_record(
    struct smtpd_hoststat *h, const struct smtpd_target *target, uint64_t now)
{
	struct record *r = find_record(h, target);
	struct record fresh = { 0 };

	if (r == NULL) {
		struct record *row;

		read_address(target, fresh.address);
		r = row = row_of(h, fresh.address);
		for (size_t i = 1; i < COLUMNS; i++)
			if (row[i].changed < r->changed)
				r = &row[i];
		*r = fresh;
	}
	r->changed = now > 0 ? now : 1;
	return r;
}

/* Those that were on their way when the first failed are no new sign. */
void
smtpd__hoststat_failed(
    struct smtpd_hoststat *h, const struct smtpd_target *target, uint64_t now)
{
	static const struct smtpd_retry_bounds bounds = {
		.min = DOWN_MS,
		.max = DOWN_MAX_MS,
	};
	struct record *r;

	pthread_mutex_lock(&h->mutex);
	r = obtain_record(h, target, now);
	if (now >= r->down_until) {
		r->failures++;
		r->down_until =
		    now + smtpd__retry_backoff(&bounds, r->failures, 0);
	}
	pthread_mutex_unlock(&h->mutex);
}

void
smtpd__hoststat_worked(
    struct smtpd_hoststat *h, const struct smtpd_target *target)
{
	struct record *r;

	pthread_mutex_lock(&h->mutex);
	r = find_record(h, target);
	if (r != NULL) {
		r->down_until = 0;
		r->failures = 0;
	}
	pthread_mutex_unlock(&h->mutex);
}

bool
smtpd__hoststat_is_down(
    struct smtpd_hoststat *h, const struct smtpd_target *target, uint64_t now)
{
	const struct record *r;
	bool down;

	pthread_mutex_lock(&h->mutex);
	r = find_record(h, target);
	down = r != NULL && now < r->down_until;
	pthread_mutex_unlock(&h->mutex);
	return down;
}

void
smtpd__hoststat_tls_failed(
    struct smtpd_hoststat *h, const struct smtpd_target *target, uint64_t now)
{
	pthread_mutex_lock(&h->mutex);
	obtain_record(h, target, now)->tls_broken_until = now + TLS_BROKEN_MS;
	pthread_mutex_unlock(&h->mutex);
}

bool
smtpd__hoststat_is_tls_broken(
    struct smtpd_hoststat *h, const struct smtpd_target *target, uint64_t now)
{
	const struct record *r;
	bool broken;

	pthread_mutex_lock(&h->mutex);
	r = find_record(h, target);
	broken = r != NULL && now < r->tls_broken_until;
	pthread_mutex_unlock(&h->mutex);
	return broken;
}
