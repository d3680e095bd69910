/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_QUEUE_DELIVERY_DISPOSITION_H
#define SMTPD_QUEUE_DELIVERY_DISPOSITION_H

/* Finish an attempt: record the results, queue a report if one is due,
 * reschedule the rest. */

#include "queue/delivery/delivery.h"

/* What came of an attempt. */
struct smtpd_disposition {
	struct smtpd_delivery_job *job; /* active; its message is pinned */
	const struct smtpd_loaded_message *loaded;
	struct smtpd_rcpt_progress *rcpts; /* all that were not finished; their
	                                    * order and outcome are changed */
	size_t nrcpts;
	bool tried;               /* hosts were asked */
	bool too_fast;            /* but it counts as no attempt */
	bool cancelled;           /* broken off by the stop of the queue */
	bool reports_success;     /* the host does, if the sender wants that */
	bool in_doubt;            /* a reply to the dot was lost */
	uint32_t site_resumes_at; /* 0: it is not suspended */
	const char *history;
	size_t history_len;

	/* Nothing was sent, and this thread has more to do than to wait for a
	 * disk in trouble: the job is rather put off. */
	bool no_wait;
};

/* Do it; the job and the pin are given up.  What comes with a report is durable
 * then, other results soon (late_sync.h).  As long as the journal cannot be
 * written it tries again, each second, until the queue stops, unless no_wait
 * is set. */
void smtpd__disposition_finish(
    struct smtpd_delivery *d, struct smtpd_disposition *s);

/* Record likewise, while the attempt S goes on, whom it was sent to.  DSN: the
 * host reports success itself. */
void smtpd__disposition_record_sent(
    struct smtpd_delivery *d, struct smtpd_disposition *s, bool dsn);

#endif
