/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_GRAMMAR_HOPS_H
#define SMTPD_GRAMMAR_HOPS_H

/*
 * How often a message was received already: its Received: fields are counted
 * while it comes, to find mail that goes in a loop (RFC 5321, 6.3).  And
 * whether it begins with a header at all, and where that ends.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "grammar/fields.h"

struct smtpd_hops {
	uint32_t count;
	size_t octets; /* of the header so far, with the empty line */
	bool done;     /* the header is over; nothing more can be found */
	bool begun;    /* what the first line is is known */
	bool headless; /* it neither is a field nor empty */
	struct smtpd_fields fields;
};

/* Begin a message. */
void smtpd__hops_init(struct smtpd_hops *h);

/* Count in the next LEN bytes at DATA. */
void smtpd__hops_feed(struct smtpd_hops *h, const char *data, size_t len);

#endif
