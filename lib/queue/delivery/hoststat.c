/* SPDX-License-Identifier: MIT */
#include "queue/delivery/hoststat.h"

#include <netinet/in.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include "base/hash.h"
#include "os/random.h"
#include "queue/schedule/retry.h"

/* An address is looked for in one row of the table only: what is forgotten
 * there is the record that was not changed for the longest time. */
#define ROWS    1024
#define COLUMNS 8

#define DOWN_MS       UINT64_C(60000)
#define DOWN_MAX_MS   UINT64_C(3600000)
#define TLS_BROKEN_MS UINT64_C(3600000)
#define WITHOUT_MS    UINT64_C(3600000)

/* An address, IPv4 as mapped into IPv6, and its port; of a socket what is known
 * of its path, which is no address of a host. */
#define ADDRESS_SIZE 18

/* The record of an address; all zero: none. */
struct record {
	unsigned char address[ADDRESS_SIZE];
	uint64_t changed;
	uint64_t down_until;
	uint64_t tls_broken_until;
	uint64_t no_bdat_until;
	uint64_t no_groups_until;
	uint64_t used;     /* the number of its last use */
	unsigned failures; /* in a row */
	bool had_tls;
};

struct smtpd_hoststat {
	pthread_mutex_t mutex;
	uint32_t seed; /* keeps others from choosing addresses of one row */
	uint64_t uses; /* so far, of all addresses */
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

/* Write the address of TARGET to OUT. */
static void
write_address(const struct smtpd_hoststat *h, const struct smtpd_target *target,
    unsigned char out[ADDRESS_SIZE])
{
	const struct sockaddr_in *in =
	    (const struct sockaddr_in *)&target->addr;
	const struct sockaddr_in6 *in6 =
	    (const struct sockaddr_in6 *)&target->addr;
	const struct sockaddr_un *un =
	    (const struct sockaddr_un *)&target->addr;
	const uint32_t seeds[] = { SMTPD_HASH_START, SMTPD_HASH_START ^ 1,
		SMTPD_HASH_START ^ h->seed };

	memset(out, 0, ADDRESS_SIZE);
	if (target->addr.ss_family == AF_INET6) {
		memcpy(out, &in6->sin6_addr, 16);
		memcpy(out + 16, &in6->sin6_port, 2);
		return;
	}
	if (target->addr.ss_family == AF_INET) {
		memset(out + 10, 0xff, 2);
		memcpy(out + 12, &in->sin_addr, 4);
		memcpy(out + 16, &in->sin_port, 2);
		return;
	}
	for (size_t i = 0; i < sizeof(seeds) / sizeof(seeds[0]); i++) {
		uint32_t part = smtpd__hash_bytes(
		    seeds[i], un->sun_path, strlen(un->sun_path));

		memcpy(out + 4 * i, &part, sizeof(part));
	}
	memset(out + 12, 0xff, 4);
}

/* The record of TARGET.  If there is none: a new one, for which the oldest of
 * its row makes room, or NULL unless one is to be made. */
static struct record *
find_record(
    struct smtpd_hoststat *h, const struct smtpd_target *target, bool make)
{
	unsigned char address[ADDRESS_SIZE];
	struct record *row, *oldest;
	uint32_t hash;

	write_address(h, target, address);
	hash = smtpd__hash_bytes(
	    SMTPD_HASH_START ^ h->seed, address, sizeof(address));
	row = oldest = h->rows[smtpd__hash_spread(hash) % ROWS];
	for (size_t i = 0; i < COLUMNS; i++) {
		if (row[i].changed != 0 &&
		    memcmp(row[i].address, address, sizeof(address)) == 0)
			return &row[i];
		if (row[i].changed < oldest->changed)
			oldest = &row[i];
	}
	if (!make)
		return NULL;
	*oldest = (struct record){ 0 };
	memcpy(oldest->address, address, sizeof(address));
	return oldest;
}

static void
update_record(struct smtpd_hoststat *h, struct record *r,
    enum smtpd_host_event event, uint64_t now)
{
	static const struct smtpd_retry_bounds bounds = {
		.min = DOWN_MS,
		.max = DOWN_MAX_MS,
	};

	if (event == SMTPD_HOST_ANSWERED) {
		r->down_until = 0;
		r->failures = 0;
		return;
	}
	r->changed = now > 0 ? now : 1;
	if (event == SMTPD_HOST_USED) {
		r->used = ++h->uses;
		return;
	}
	if (event == SMTPD_HOST_TLS_WORKED) {
		r->had_tls = true;
		r->tls_broken_until = 0;
		return;
	}
	if (event == SMTPD_HOST_TLS_FAILED) {
		r->tls_broken_until = now + TLS_BROKEN_MS;
		return;
	}
	if (event == SMTPD_HOST_NO_GROUPS) {
		r->no_groups_until = now + WITHOUT_MS;
		return;
	}
	if (event == SMTPD_HOST_NO_BDAT) {
		r->no_bdat_until = now + WITHOUT_MS;
		return;
	}
	/* Those that were on their way when the first failed are no new
	 * sign. */
	if (now < r->down_until)
		return;
	r->failures++;
	r->down_until = now + smtpd__retry_backoff(&bounds, r->failures, 0);
}

void
smtpd__hoststat_note(struct smtpd_hoststat *h,
    const struct smtpd_target *target, enum smtpd_host_event event,
    uint64_t now)
{
	struct record *r;

	pthread_mutex_lock(&h->mutex);
	r = find_record(h, target, event != SMTPD_HOST_ANSWERED);
	if (r != NULL)
		update_record(h, r, event, now);
	pthread_mutex_unlock(&h->mutex);
}

bool
smtpd__hoststat_is(struct smtpd_hoststat *h, const struct smtpd_target *target,
    enum smtpd_host_fact fact, uint64_t now)
{
	static const struct record none;
	const struct record *r;
	bool known = false;

	pthread_mutex_lock(&h->mutex);
	r = find_record(h, target, false);
	if (r == NULL)
		r = &none;
	switch (fact) {
	case SMTPD_HOST_DOWN:
		known = now < r->down_until;
		break;
	case SMTPD_HOST_TLS_BROKEN:
		known = now < r->tls_broken_until;
		break;
	case SMTPD_HOST_WITHOUT_BDAT:
		known = now < r->no_bdat_until;
		break;
	case SMTPD_HOST_WITHOUT_GROUPS:
		known = now < r->no_groups_until;
		break;
	case SMTPD_HOST_HAD_TLS:
		known = r->had_tls;
		break;
	}
	pthread_mutex_unlock(&h->mutex);
	return known;
}

uint64_t
smtpd__hoststat_last_used(
    struct smtpd_hoststat *h, const struct smtpd_target *target)
{
	const struct record *r;
	uint64_t used;

	pthread_mutex_lock(&h->mutex);
	r = find_record(h, target, false);
	used = r != NULL ? r->used : 0;
	pthread_mutex_unlock(&h->mutex);
	return used;
}
