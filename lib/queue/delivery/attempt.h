/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_QUEUE_DELIVERY_ATTEMPT_H
#define SMTPD_QUEUE_DELIVERY_ATTEMPT_H

/*
 * One attempt at a job, a list of steps: read the message, look up the route,
 * enter the site, let the agent deliver, and hand the results to the
 * disposition.  Where its recipients have several routes, these are taken one
 * after the other.
 */

#include "base/sizes.h"
#include "queue/delivery/delivery.h"

/* The size of what is said of an attempt. */
#define SMTPD_HISTORY_MAX 16384

struct smtpd_opened_job;

/* What a worker keeps from one attempt to the next: zero at first, but for the
 * first four. */
struct smtpd_attempt_state {
	struct smtpd_delivery *delivery;
	struct smtpd_agent *agent;
	struct smtpd_pool_member *worker;

	/* Take the job that is tried after the present one, over the same
	 * connection; NULL: none is known.  Called while an attempt goes on. */
	struct smtpd_delivery_job *(*next)(struct smtpd_pool_member *worker);

	struct smtpd_opened_job *ahead;     /* that job; NULL */
	bool throttled;                     /* the last attempt was, surely */
	struct smtpd_found_route route;     /* of domain */
	struct smtpd_shaping_limits limits; /* of its site */
	char domain[SMTPD_HOSTNAME_SIZE];   /* "": there is none */
	uint64_t route_until;               /* as smtpd__clock_ms() */
	char history[SMTPD_HISTORY_MAX];
};

void smtpd__attempt_finish(struct smtpd_attempt_state *a);

/*
 * Try JOB, which is active and whose message is pinned; both are given up.  It
 * was taken for *SITE, which may become another one, or NULL when the
 * connection was left.  If there is a next job (below) it must be that.
 * Blocks.
 */
void smtpd__attempt_run(struct smtpd_attempt_state *a,
    struct smtpd_delivery_job *job, struct smtpd_site **site);

/* The job that was taken during the last attempt, for the next one; NULL: none
 * was. */
struct smtpd_delivery_job *smtpd__attempt_next(
    const struct smtpd_attempt_state *a);

/* Whether the last attempt left a connection that the site wants more mail
 * by. */
bool smtpd__attempt_may_go_on(const struct smtpd_attempt_state *a);

/* Return that job untried, if there is one.  The connection, where its message
 * may be awaited, is to be left. */
void smtpd__attempt_leave_next(struct smtpd_attempt_state *a);

/* Handle a JOB, as above, that expired, or is due a delay notice, while its
 * site is suspended. */
void smtpd__attempt_overdue(
    struct smtpd_delivery *d, struct smtpd_delivery_job *job);

#endif
