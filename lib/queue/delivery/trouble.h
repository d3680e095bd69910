/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_QUEUE_DELIVERY_TROUBLE_H
#define SMTPD_QUEUE_DELIVERY_TROUBLE_H

/*
 * Trouble that concerns more than one message: of a site (the smarthost is
 * one), of all sites, of the DNS, of the disk.  A warning tells that it begins
 * and, but for the disk, a line that it is over, however many attempts meet it.
 * Of a site that has no more mail, since that was removed or returned, no such
 * line comes.
 */

#include "queue/delivery/delivery.h"

/* Tell what STATUS, the schedule's on a site, has new; WHY is the reason.  The
 * lock is not held. */
void smtpd__trouble_tell_site(struct smtpd_delivery *d,
    const struct smtpd_site_status *status, const struct smtpd_result *why);

/* All sites are in trouble, or a host has spoken, so that they are not. */
void smtpd__trouble_tell_all(struct smtpd_delivery *d, bool all);

/* Tell what ROUTE, which was looked up from SINCE on (smtpd__clock_ms()), has
 * new of the DNS. */
void smtpd__trouble_tell_dns(struct smtpd_delivery *d,
    const struct smtpd_found_route *route, uint64_t since);

/* Tell once, when a look-up for ROUTE was answered, whether DANE has the DNS
 * that it needs.  Blocks. */
void smtpd__trouble_tell_dnssec(
    struct smtpd_delivery *d, const struct smtpd_found_route *route);

/* How often the disk failed while one thing was to be written. */
struct smtpd_disk_trouble {
	bool logged;
	bool last; /* there is no time for more */
};

/*
 * The record of a result could not be written, as errno says: log that once,
 * and wait a second.  Return true if it is to be tried again: not once
 * *STOPPING was set, which the lock guards, nor what fails for its size or
 * nonsense, whatever the disk does.
 */
bool smtpd__trouble_await_disk(struct smtpd_delivery *d,
    struct smtpd_disk_trouble *t, const bool *stopping);

#endif
