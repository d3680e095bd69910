/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_QUEUE_CONTROL_CONTROL_H
#define SMTPD_QUEUE_CONTROL_CONTROL_H

/*
 * The operator's side of a queue: its front is smtpd_queue_ask(), and the hooks
 * by which requests reach a schedule that is running.
 */

#include <smtpd/client.h>
#include <smtpd/queue.h>

#include "queue/model/queued_message.h"
#include "queue/schedule/shaping.h"

/* What requests have done with a job. */
enum smtpd_control_action {
	SMTPD_CONTROL_FLUSH,    /* try it now, unless it is active, held or
	                         * finished */
	SMTPD_CONTROL_WITHDRAW, /* take it out of the schedule, unless it is
	                         * active */
	SMTPD_CONTROL_RESUME,   /* put it in again, if it is out and neither
	                         * held, removed nor finished */
};

/* The site of a job. */
struct smtpd_control_site {
	char name[1024];
	uint32_t connections;
	uint32_t limit;              /* of connections, at present */
	uint32_t failures;           /* in a row */
	uint32_t resumes_at;         /* a time gone by: not suspended */
	char why[SMTPD_REASON_SIZE]; /* it was suspended; "": not known */
	struct smtpd_shaping_info shaping;
};

/*
 * What requests need of the schedule.  All are NULL in a process where no
 * worker runs.  The message of a job that is given is pinned; the functions
 * take the locks that guard the schedule, and may be called from any thread.
 */
struct smtpd_control_hooks {
	void (*act)(void *user, struct smtpd_delivery_job *job,
	    enum smtpd_control_action action);

	/*
	 * Set the state and the due time of COPY, a copy of JOB, to those that
	 * the schedule has.  The due time of an active job changes without
	 * its lock, and is left alone.  A job that is ready but whose site is
	 * suspended may be reported as deferred until the site resumes.
	 */
	void (*inspect)(void *user, const struct smtpd_delivery_job *job,
	    struct smtpd_delivery_job *copy);

	/* Set OUT to what the schedule knows of the job's site. */
	void (*site)(void *user, const struct smtpd_delivery_job *job,
	    struct smtpd_control_site *out);

	/*
	 * Set up to MAX of OUT to sites that domains share, from *PLACE on, and
	 * *PLACE to where to go on; it begins as 0, and ends as UINT32_MAX.
	 * Return how many are set.  Sites that come or go meanwhile may be
	 * missed, or be there twice.
	 */
	size_t (*sites)(void *user, uint32_t *place,
	    struct smtpd_control_site *out, size_t max);

	/* Set OUT, whose size is set, to what the queue has done. */
	void (*count)(void *user, struct smtpd_queue_counters *out);

	/* What was counted of TLS today, as tls_stats.h shows it, which the
	 * caller frees; NULL: nothing. */
	char *(*tls)(void *user);
	void *user;
};

#endif
