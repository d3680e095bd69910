/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_QUEUE_CONTROL_SNAPSHOT_H
#define SMTPD_QUEUE_CONTROL_SNAPSHOT_H

/* All that is known of one message at a moment, to be shown. */

#include "queue/control/server.h"

/* What becomes of a message, or of one of its jobs or recipients. */
enum smtpd_snapshot_state {
	SMTPD_SNAPSHOT_ACTIVE,   /* it is being tried */
	SMTPD_SNAPSHOT_READY,    /* it waits for its turn */
	SMTPD_SNAPSHOT_DEFERRED, /* it waits for its time */
	SMTPD_SNAPSHOT_HELD,     /* it waits for the operator */
	SMTPD_SNAPSHOT_DONE,     /* nothing more; of a part of a message only */
	SMTPD_SNAPSHOT_STATES,
};

/* "active", "ready", "deferred", "held", "done". */
const char *smtpd__control_snapshot_word(enum smtpd_snapshot_state state);

struct smtpd_control_snapshot {
	struct smtpd_spool *spool;
	const struct smtpd_control_hooks *hooks;
	const struct smtpd_queued_message *message; /* pinned by the caller */
	struct smtpd_queued_message *copy; /* with the schedule's state */
	struct smtpd_loaded_message
	    loaded;   /* of which nothing but id and arrived_ms
	                             * is set if it is damaged */
	int damage;   /* why it cannot be read, an errno; 0 */
	uint32_t now; /* of the queue's clock */
	enum smtpd_snapshot_state state;
	uint32_t left; /* recipients that are not finished */
	uint32_t due;  /* when the first of them is tried */
};

/* Look at MESSAGE of S; HOOKS may be all NULL.  Return 0, or -1 with errno.  To be finished in any
 * case. */
int smtpd__control_snapshot_init(struct smtpd_control_snapshot *v,
    struct smtpd_spool *s, const struct smtpd_control_hooks *hooks,
    const struct smtpd_queued_message *message);
void smtpd__control_snapshot_finish(struct smtpd_control_snapshot *v);

/* The state of JOB of v->copy. */
enum smtpd_snapshot_state smtpd__control_snapshot_job_state(
    const struct smtpd_control_snapshot *v,
    const struct smtpd_delivery_job *job);

/* The last attempts of JOB of v->copy; NULL when there was none, or they cannot
 * be read.  The caller frees them. */
struct smtpd_rcpt_progress *smtpd__control_snapshot_results(
    const struct smtpd_control_snapshot *v,
    const struct smtpd_delivery_job *job, size_t *count);

/* That of recipient RCPT among RESULTS, or NULL. */
const struct smtpd_rcpt_progress *smtpd__control_snapshot_result(
    const struct smtpd_rcpt_progress *results, size_t count, uint32_t rcpt);

/* That job of the message which JOB of v->copy is a copy of. */
const struct smtpd_delivery_job *smtpd__control_snapshot_original(
    const struct smtpd_control_snapshot *v,
    const struct smtpd_delivery_job *job);

#endif
