/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_GRAMMAR_HOPS_H
#define SMTPD_GRAMMAR_HOPS_H

/*
 * The header of a message, as far as the server looks into it: how often it
 * was received (RFC 5321, 6.3).
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct smtpd_hops {
	uint32_t count; /* of Received: fields so far */
	bool done;      /* the header is over */
	bool other;     /* the present line is something else */
	uint8_t column; /* in it, as far as it matches */
};

/* Begin a message. */
void smtpd__hops_init(struct smtpd_hops *h);

/* Look at the next LEN bytes at DATA, lines ended by CRLF or LF. */
void smtpd__hops_feed(struct smtpd_hops *h, const char *data, size_t len);

#endif
