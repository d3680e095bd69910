/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_SERVER_RATES_H
#define SMTPD_SERVER_RATES_H

/*
 * How fast each address and each network does something, in memory that does
 * not grow with their number.  The owner's lock guards it.
 */

#include <smtpd/settings.h>

#include <stdbool.h>
#include <stdint.h>

#include "net/socket.h"

/* What is counted. */
enum smtpd_rate_kind {
	SMTPD_RATE_CONNECTIONS,
	SMTPD_RATE_RCPTS,
	SMTPD_RATE_AUTH_FAILURES,
	SMTPD_RATES, /* their number */
};

/* A bucket has room for so many things, and as many run out of it, evenly, in
 * each window; SMTPD_NO_LIMIT: for any number. */
struct smtpd_rate {
	uint32_t per_address;
	uint32_t per_network;
	uint32_t window_ms;
};

struct smtpd_rate_bucket;

struct smtpd_rates {
	struct smtpd_rate of[SMTPD_RATES];
	struct smtpd_rate_bucket *buckets;
};

/* Begin with the limits of SETTINGS.  Return 0, or -1 without memory. */
int smtpd__rates_begin(
    struct smtpd_rates *r, const struct smtpd_settings *settings);

/* Free what R holds. */
void smtpd__rates_finish(struct smtpd_rates *r);

/* Whether KIND has a limit. */
bool smtpd__rates_limit(const struct smtpd_rates *r, enum smtpd_rate_kind kind);

/*
 * Whether one thing more of KIND by PEER at NOW_MS, of any clock, is within its
 * rate and that of its network; then it is counted.  Peers that are not of the
 * Internet have no rate.
 *
 * Where more peers are busy at a time than there are buckets, the emptiest
 * serves another: nobody is refused for what others did, and who is refused
 * comes back a little sooner.
 */
bool smtpd__rates_admit(struct smtpd_rates *r, enum smtpd_rate_kind kind,
    const struct smtpd_sockaddr *peer, uint64_t now_ms);

/* The same, and it is not counted. */
bool smtpd__rates_has_room(struct smtpd_rates *r, enum smtpd_rate_kind kind,
    const struct smtpd_sockaddr *peer, uint64_t now_ms);

#endif
