/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_QUEUE_DELIVERY_BOUNCE_LIMIT_H
#define SMTPD_QUEUE_DELIVERY_BOUNCE_LIMIT_H

/*
 * How many reports each sender gets in a minute.  Senders are told apart by a
 * hash: a few share their limit.  Any number of threads may use one at a time.
 */

#include <stdbool.h>
#include <stdint.h>

struct smtpd_bounce_limit;

/* NULL without memory. */
struct smtpd_bounce_limit *smtpd__bounce_limit_create(uint32_t max);

/* NULL is fine. */
void smtpd__bounce_limit_destroy(struct smtpd_bounce_limit *l);

/* Count a report to SENDER at NOW, as smtpd__clock_ms().  Return false, and
 * count nothing, if it had as many as it may. */
bool smtpd__bounce_limit_allows(
    struct smtpd_bounce_limit *l, const char *sender, uint64_t now);

#endif
