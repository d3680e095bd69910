/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_QUEUE_DELIVERY_BOUNCE_H
#define SMTPD_QUEUE_DELIVERY_BOUNCE_H

/*
 * Reports to senders (RFC 3461, 6.2; RFC 3464): whether one is due, and the
 * message.
 */

#include <smtpd/queue.h>

#include "grammar/dsn_param.h"
#include "queue/delivery/sign.h"
#include "queue/model/loaded_message.h"
#include "queue/spool/spool.h"

/* What the mail of a report refers to. */
struct smtpd_bounce_hold;

/* What is reported of a message. */
struct smtpd_bounce {
	const char *hostname;
	const struct smtpd_queue_settings *settings; /* of expand.h; NULL: the
	                                              * sender is told */
	const struct smtpd_loaded_message *loaded;
	unsigned flags; /* of the message: enum smtpd_message_flag */
	enum smtpd_dsn_action action; /* of those that were not delivered */
	const struct smtpd_rcpt_progress *rcpts; /* what it is about, if their
	                                          * NOTIFY allows that */
	size_t nrcpts;
	unsigned attempts; /* so far */
	const char *postmaster;
	uint64_t now_ms;               /* since 1970 */
	uint64_t until_ms;             /* DELAYED: how long it is tried */
	struct smtpd_signing *signing; /* NULL: the report is not signed */
};

/*
 * Return true if there is a sender, and a recipient whose NOTIFY (RFC 3461,
 * 4.1) wants the action reported.  A delay is reported only of mail that a
 * person wrote, and that it was relayed or delivered only where NOTIFY asks for
 * SUCCESS.
 */
bool smtpd__bounce_is_wanted(const struct smtpd_bounce *b);

/*
 * Write the report of COUNT messages of one sender, all of which are wanted in
 * it, into a new content of SPOOL and *MAIL, which refers to BOUNCES and to
 * *HOLD.  That goes to smtpd__bounce_free() after the mail was added, also
 * after a failure.  Return 0, or -1 with errno.
 */
int smtpd__bounce_write(const struct smtpd_bounce *bounces, size_t count,
    struct smtpd_spool *spool, struct smtpd_spool_mail *mail,
    struct smtpd_bounce_hold **hold);

/* NULL is fine. */
void smtpd__bounce_free(struct smtpd_bounce_hold *hold);

#endif
