/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_QUEUE_SPOOL_PROGRESS_H
#define SMTPD_QUEUE_SPOOL_PROGRESS_H

/*
 * The end of an attempt, recorded: waiting for the disk, or, where it ends a
 * message, with a commit that is pending.
 */

#include <smtpd/client.h>

#include "base/sizes.h"
#include "queue/spool/add.h"

struct smtpd_spool;

/* What came of one recipient in an attempt. */
struct smtpd_rcpt_progress {
	uint32_t rcpt; /* its number in the message */
	bool finished; /* sent, or given up: never to be tried again */
	char host[SMTPD_HOSTNAME_SIZE]; /* that said so, or, in the phase of
	                                 * connecting, was tried; or "" */
	struct smtpd_result result;
	uint64_t tried_ms; /* since 1970; 0: there was no attempt */
	bool expired;      /* it was given up at the end of its life */
	bool in_doubt;     /* then: a reply to the dot was lost */
	bool recorded;     /* while the attempt went on */
};

/* The end of an attempt. */
struct smtpd_progress {
	struct smtpd_delivery_job *job;
	const struct smtpd_rcpt_progress *rcpts; /* that were not finished */
	size_t nrcpts;
	uint32_t due; /* when it is tried again, if any is left */
	uint16_t attempts;
	bool delay_notice_sent;
	bool in_doubt;
	const char *history; /* what was done, as lines of text */
	size_t history_len;

	/* A report to the sender, which is added in the same commit; NULL:
	 * none.  Its content is destroyed in any case. */
	const struct smtpd_spool_mail *report;
};

/*
 * Record P and change its job accordingly; the space that is kept in reserve
 * may be used.  *REPORT is the message of the report, pinned as by
 * smtpd__spool_add(), or NULL.  Return 0, or -1 with errno, and nothing is
 * changed.
 */
int smtpd__spool_progress(struct smtpd_spool *s, const struct smtpd_progress *p,
    struct smtpd_queued_message **report);

/*
 * A record that ends a message, but may not be on stable storage yet: a crash
 * may forget it, and have the message tried once more.
 */
struct smtpd_pending_commit;

/*
 * As smtpd__spool_progress() for a P that finishes all that is left of a job,
 * and has no report, but without waiting for the disk: wait for *COMMIT soon;
 * it is NULL when there is nothing to wait for.  Return 0, or -1 with errno,
 * and nothing is changed.
 */
int smtpd__spool_progress_begin(struct smtpd_spool *s,
    const struct smtpd_progress *p, struct smtpd_pending_commit **commit);

/* Wait until COMMIT is on stable storage, and free it.  Or return -1 with
 * errno: it is not, and may be waited for again. */
int smtpd__spool_progress_wait(struct smtpd_pending_commit *commit);

/* Free one that could not be brought to stable storage, as
 * smtpd__spool_progress_wait() said: a store may still use one that nobody
 * waited for. */
void smtpd__spool_progress_abandon(struct smtpd_pending_commit *commit);

#endif
