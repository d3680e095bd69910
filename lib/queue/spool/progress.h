/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_QUEUE_SPOOL_PROGRESS_H
#define SMTPD_QUEUE_SPOOL_PROGRESS_H

/*
 * What came of an attempt, or of a part of it, recorded: waiting for the disk,
 * or written at once and made durable a little later, together with others.
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
	bool delivered;    /* sent to its mailbox, by LMTP or the program */
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
 * The same for a P without a report, but the disk is not waited for: when it
 * returns, a kill does not lose the record, but a power cut may, and has the
 * job tried as if it had not been.  smtpd__spool_progress_sync() is to be
 * called soon.  Return 0, or -1 with errno, and nothing is changed.
 */
int smtpd__spool_progress_begin(
    struct smtpd_spool *s, const struct smtpd_progress *p);

/* Since when the oldest record that was begun waits to be durable, as
 * smtpd__clock_ms(); 0: none does. */
uint64_t smtpd__spool_progress_since(struct smtpd_spool *s);

/*
 * Have all records that were begun before the call on stable storage, and
 * release what they ended.  Those that could not be brought there are appended
 * once more.  Return 0, or -1 with errno: some are not there, and it is to be
 * called again.  For one thread at a time.
 */
int smtpd__spool_progress_sync(struct smtpd_spool *s);

/* Forget those that cannot be brought there: by the same thread. */
void smtpd__spool_progress_abandon(struct smtpd_spool *s);

#endif
