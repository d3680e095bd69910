/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_QUEUE_DELIVERY_DISPATCH_H
#define SMTPD_QUEUE_DELIVERY_DISPATCH_H

/*
 * Between spool, schedule and workers: jobs go into the schedule and come back
 * from those who had them.  All of it takes the queue's lock.
 */

#include "queue/control/server.h"
#include "queue/model/queued_message.h"

struct smtpd_queue;

/* For smtpd_spool_settings; USER is the queue. */
struct smtpd_destination *smtpd__dispatch_destination(
    void *user, const char *domain);
void smtpd__dispatch_release(void *user, struct smtpd_destination *destination);
void smtpd__dispatch_lost(void *user, struct smtpd_queued_message *message);

/* What the operator's requests need. */
void smtpd__dispatch_hooks(
    struct smtpd_queue *q, struct smtpd_control_hooks *hooks);

/* Put the jobs of a new MESSAGE, which is pinned, into the schedule, unless it is
 * held, see to it that somebody tries them, and unpin it. */
void smtpd__dispatch_schedule(
    struct smtpd_queue *q, struct smtpd_queued_message *message);

/* The same for all that there is, but for what is in the schedule already: what
 * an earlier process left, and what there was no memory for. */
void smtpd__dispatch_schedule_all(struct smtpd_queue *q);

/*
 * The rest is for who has JOB, which is active, and its message pinned, and
 * gives up both.  Put it back if it is neither finished, held nor removed; ...
 */
void smtpd__dispatch_return(
    struct smtpd_queue *q, struct smtpd_delivery_job *job);

/* ... after retry_min, without a record: the trouble was our own; ... */
void smtpd__dispatch_postpone(
    struct smtpd_queue *q, struct smtpd_delivery_job *job);

/* ... as the next one, as it was not tried; ... */
void smtpd__dispatch_put_back(
    struct smtpd_queue *q, struct smtpd_delivery_job *job);

/* ... or end its message, which cannot be read. */
void smtpd__dispatch_quarantine(
    struct smtpd_queue *q, struct smtpd_delivery_job *job, const char *why);

#endif
