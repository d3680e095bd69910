/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_QUEUE_DELIVERY_DISPOSITION_H
#define SMTPD_QUEUE_DELIVERY_DISPOSITION_H

/* The end of an attempt: what came of it is recorded, the sender is told what
 * he is to know, and the job waits for its next time. */

#include "queue/model/loaded_message.h"
#include "queue/schedule/retry.h"
#include "queue/spool/spool.h"

struct smtpd_queue;

struct smtpd_disposition {
	struct smtpd_delivery_job *job; /* active; its message is pinned */
	const struct smtpd_loaded_message *loaded;
	struct smtpd_rcpt_progress *rcpts; /* all that were not finished; their
	                                    * order and outcome are changed */
	size_t nrcpts;
	bool tried;          /* it counts as an attempt */
	bool broken_off;     /* by the stop of the queue: it is not the end */
	bool dsn;            /* who took it over reports success himself */
	bool in_doubt;       /* a reply to the dot was lost */
	uint32_t not_before; /* the site is closed until then; 0 */
	struct smtpd_retry retry; /* decided here */
	const char *history;
	size_t history_len;

	/* Where the record of a message that was simply sent is kept until the
	 * next one was: so that thread and disk need not wait for each other.
	 * NULL: nowhere, it is waited for. */
	struct smtpd_pending_commit **note;
};

/* Do it; the job and the pin are given back.  As long as the log cannot be
 * written it tries again, each second, until the queue stops. */
void smtpd__disposition(struct smtpd_queue *q, struct smtpd_disposition *s);

/* Log what came of the recipients of S, without having come to any host. */
void smtpd__disposition_log(
    const struct smtpd_queue *q, const struct smtpd_disposition *s);

/* Wait likewise until *NOTE, if there is one, is on stable storage. */
void smtpd__disposition_sync(
    struct smtpd_queue *q, struct smtpd_pending_commit **note);

#endif
