/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_QUEUE_DELIVERY_REPORT_H
#define SMTPD_QUEUE_DELIVERY_REPORT_H

/*
 * Whether the sender is told of a result, and by which message.  What cannot be
 * told is kept as a dead letter: nothing is lost in silence.
 */

#include "queue/delivery/bounce.h"
#include "queue/delivery/delivery.h"

struct smtpd_report {
	struct smtpd_bounce about; /* nrcpts is 0: there is nothing to tell */

	/* Set by smtpd__report_prepare(): the message, unless its content is
	 * NULL, and what it refers to. */
	struct smtpd_spool_mail mail;
	struct smtpd_bounce_hold *hold;

	/* What an earlier try did, when the disk was in trouble. */
	bool dead_lettered;
};

/*
 * Write the report, or keep the message as a dead letter, if either is to be
 * done.  May be called again, as what was done is not done twice.  The caller
 * adds r->mail to the spool and then frees r->hold, also after a failure.
 * Return 0, or -1 with errno.
 */
int smtpd__report_prepare(struct smtpd_delivery *d, struct smtpd_report *r);

/*
 * MESSAGE, which is pinned, cannot be read: move what is left of it to
 * quarantine/, with WHY beside it, and tell the sender, if the envelope at
 * least can be read.  Its jobs leave the schedule, but for those that are
 * active.  Return 0; or -1 with errno, and it stays.  USER is the delivery: it
 * is the lost of smtpd_spool_settings, too.
 */
int smtpd__report_lost(
    void *user, struct smtpd_queued_message *message, const char *why);

/* REPORT, which is pinned, was recorded, and is about the message ABOUT: log
 * it, and have it delivered. */
void smtpd__report_queued(struct smtpd_delivery *d,
    struct smtpd_queued_message *report,
    const struct smtpd_loaded_message *about);

#endif
