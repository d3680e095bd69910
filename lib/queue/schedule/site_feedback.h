/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_QUEUE_SCHEDULE_SITE_FEEDBACK_H
#define SMTPD_QUEUE_SCHEDULE_SITE_FEEDBACK_H

/* What an attempt means for its site: more connections, fewer, or none for a
 * while.  Under the schedule's lock. */

#include <smtpd/client.h>

#include <stdbool.h>
#include <stdint.h>

struct smtpd_destination;
struct smtpd_schedule;
struct smtpd_site;

/* How an attempt went, as to the site. */
enum smtpd_site_feedback {
	SMTPD_SITE_FINE,    /* it spoke with us */
	SMTPD_SITE_BUSY,    /* it had too much of us: 421 */
	SMTPD_SITE_DOWN,    /* none of its hosts could be talked to */
	SMTPD_SITE_OFFLINE, /* no network leads to any: nothing was learnt of
	                     * it, but people are to know */
	SMTPD_SITE_UNTOLD,  /* other trouble of our own */
	SMTPD_SITE_SLOW,    /* it spoke with us, but took its time */
};

/* What a report means. */
struct smtpd_site_status {
	uint32_t resumes_at; /* now, or later */

	/* For people: a site is in trouble from the first report that it cannot
	 * be used until the next fine one, or until it has no more mail and is
	 * freed, which is not told.  The name is valid as long as the
	 * caller has a connection of the site. */
	const char *name;
	bool trouble_begins;
	bool trouble_ends;
	bool none_left; /* all sites, more than one, are in trouble, and no
	                 * report was fine for the shortest time between two
	                 * attempts */
};

/*
 * Report how an attempt at SITE went.  When that suspends it, WHY, unless NULL,
 * is kept for those of its jobs that expire untried.  Of attempts that began
 * before it was suspended only a fine or slow one still counts.
 */
struct smtpd_site_status smtpd__site_feedback_report(struct smtpd_schedule *s,
    struct smtpd_site *site, enum smtpd_site_feedback feedback,
    const struct smtpd_result *why, uint32_t now);

/* The hosts of D were found, so that the trouble of looking them up, which its
 * own site stands for, is over. */
struct smtpd_site_status smtpd__site_feedback_found(
    struct smtpd_schedule *s, struct smtpd_destination *d, uint32_t now);

#endif
