/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_QUEUE_DELIVERY_ATTEMPT_H
#define SMTPD_QUEUE_DELIVERY_ATTEMPT_H

/* One attempt at one job, from reading the message to the record of what came
 * of it. */

#include "base/text.h"
#include "queue/delivery/agent.h"
#include "queue/delivery/route.h"

struct smtpd_pending_commit;
struct smtpd_queue;

/* What is said of an attempt, at most. */
#define SMTPD_HISTORY_MAX 16384

/* What a worker keeps from one attempt to the next. */
struct smtpd_attempt_state {
	struct smtpd_queue *queue;
	struct smtpd_agent *agent;
	struct smtpd_route route;          /* of domain */
	char domain[256];                  /* "": there is none */
	uint64_t route_until;              /* as smtpd__clock_ms() */
	struct smtpd_pending_commit *note; /* of the last message; NULL */
	char history[SMTPD_HISTORY_MAX];
};

/* Return 0, or -1 without memory. */
int smtpd__attempt_init(struct smtpd_attempt_state *a, struct smtpd_queue *q);
void smtpd__attempt_finish(struct smtpd_attempt_state *a);

/*
 * Try JOB, which is active and whose message is pinned; both are given back.  It
 * was taken for *SITE, which may become another one, or NULL when the
 * connection was left.  Blocks.
 */
void smtpd__attempt(struct smtpd_attempt_state *a,
    struct smtpd_delivery_job *job, struct smtpd_site **site);

/* Wait for what may still be on its way to the disk: before there is nothing
 * more to do. */
void smtpd__attempt_sync_before_idle(struct smtpd_attempt_state *a);

/* JOB, as above, came to its end or to a notice of its delay without being
 * tried: its site is closed. */
void smtpd__attempt_overdue(
    struct smtpd_queue *q, struct smtpd_delivery_job *job);

#endif
