/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_QUEUE_SPOOL_APPEND_ORDER_H
#define SMTPD_QUEUE_SPOOL_APPEND_ORDER_H

/*
 * The order in which records of one message are appended.
 *
 * Records of one message must stand in the log in the order in which memory
 * has it, and a relocated message must contain all that was appended before it
 * and nothing that comes after.  So a thread enters a message before it appends
 * a record of it: any number of threads that report progress, or one alone that
 * changes its state or relocates it.
 */

#include "queue/spool/core.h"

/* A thread that reports progress; it lies on its stack. */
struct smtpd_flight {
	const struct smtpd_queued_message *message;
	struct smtpd_flight *next;
};

/* Enter E to report progress.  False when it has ended.  The mutex is not
 * held. */
bool smtpd__append_order_enter(struct smtpd_spool *s,
    struct smtpd_queued_message *e, struct smtpd_flight *f);

/* Leave it.  The mutex is held. */
void smtpd__append_order_leave(struct smtpd_spool *s, struct smtpd_flight *f);

/* Enter E alone.  False when it has ended.  The mutex is held, but not while
 * waiting for others. */
bool smtpd__append_order_lock(
    struct smtpd_spool *s, struct smtpd_queued_message *e);

/* Leave it.  The mutex is held. */
void smtpd__append_order_unlock(
    struct smtpd_spool *s, struct smtpd_queued_message *e);

#endif
