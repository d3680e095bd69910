/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_QUEUE_DELIVERY_GATHER_H
#define SMTPD_QUEUE_DELIVERY_GATHER_H

/*
 * Failures of many messages of one sender, gathered into few reports (RFC 5321,
 * 6.1): beyond so many reports in a minute, what fails is reported together at
 * the end of that minute.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct smtpd_bounce;
struct smtpd_delivery;
struct smtpd_gathered;
struct smtpd_progress;

/* The reports that senders had, and what waits.  Senders are told apart by a
 * hash, so that their number is bounded: two that share a slot share the count.
 * All zero at first; the lock of the delivery guards it. */
#define SMTPD_GATHER_SLOTS 1024

struct smtpd_gather {
	struct smtpd_gather_slot {
		uint64_t since; /* the minute began, as smtpd__clock_ms() */
		uint32_t count; /* of reports in it */
		size_t nwaiting;
		struct smtpd_gathered *waiting; /* the last one first */
	} slots[SMTPD_GATHER_SLOTS];
	size_t nwaiting; /* in all slots */
};

/*
 * Return true after P, failures that are reported as ABOUT says, was copied to
 * be reported with others: its job stays active, and is given up together with
 * its pin then.  Return false if it is to be reported now: the sender had fewer
 * reports, wants none, or there is no memory.
 */
bool smtpd__gather_add(struct smtpd_delivery *d, const struct smtpd_progress *p,
    const struct smtpd_bounce *about);

/* Report what has waited for its time or is enough for a report, or ALL.  What
 * cannot be recorded now is tried once more. */
void smtpd__gather_report(struct smtpd_delivery *d, bool all);

#endif
