/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_QUEUE_SCHEDULE_SITE_FEEDBACK_H
#define SMTPD_QUEUE_SCHEDULE_SITE_FEEDBACK_H

/* What an attempt means for its site: more connections, fewer, or none for a
 * while.  Under the schedule's lock. */

#include <smtpd/client.h>

#include <stdint.h>

struct smtpd_schedule;
struct smtpd_site;

/* How an attempt went, as to the site. */
enum smtpd_site_feedback {
	SMTPD_SITE_FINE,   /* it spoke with us */
	SMTPD_SITE_BUSY,   /* it had too much of us: 421 */
	SMTPD_SITE_DOWN,   /* none of its hosts could be talked to */
	SMTPD_SITE_UNTOLD, /* trouble of our own: nothing was learnt of it */
};

/*
 * Report how an attempt at SITE went.  When that suspends it, WHY, unless NULL,
 * is kept for those of its jobs that expire untried.  Of attempts that began
 * before it was suspended only a fine one still counts.  Return when it
 * resumes: NOW, or later.
 */
uint32_t smtpd__site_feedback_report(struct smtpd_schedule *s,
    struct smtpd_site *site, enum smtpd_site_feedback feedback,
    const struct smtpd_result *why, uint32_t now);

#endif
