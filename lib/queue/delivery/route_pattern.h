/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_QUEUE_DELIVERY_ROUTE_PATTERN_H
#define SMTPD_QUEUE_DELIVERY_ROUTE_PATTERN_H

/* Patterns of routes, and the addresses that they match. */

#include <stdbool.h>

#include "base/sizes.h"
#include "base/text.h"

enum smtpd_route_pattern_kind {
	SMTPD_PATTERN_ALL,
	SMTPD_PATTERN_DOMAIN,
	SMTPD_PATTERN_BELOW, /* domains below one */
	SMTPD_PATTERN_ADDRESS,
};

/* An address in the form in which two spellings of it are the same; all "": the
 * null sender, or one that is none. */
struct smtpd_route_address {
	char local[SMTPD_HOSTNAME_SIZE];
	char domain[SMTPD_HOSTNAME_SIZE];
};

struct smtpd_route_pattern {
	bool from; /* it is for senders */
	enum smtpd_route_pattern_kind kind;
	struct smtpd_route_address address;
};

/* Read TEXT.  Return 0, or -1 with the reason added to ERROR. */
int smtpd__route_pattern_parse(const char *text,
    struct smtpd_route_pattern *out, struct smtpd_text *error);

/* Read the address TEXT, of an envelope. */
void smtpd__route_pattern_address(
    const char *text, struct smtpd_route_address *out);

/* Whether P is one of those that ADDRESS, a sender if P is for these, matches.
 * Without a local part in ADDRESS only its domain is known. */
bool smtpd__route_pattern_matches(const struct smtpd_route_pattern *p,
    const struct smtpd_route_address *address);

#endif
