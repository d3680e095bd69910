/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_QUEUE_CONTROL_SNAPSHOT_H
#define SMTPD_QUEUE_CONTROL_SNAPSHOT_H

/*
 * All that is known of one message at a moment, to be shown.
 */

#include "base/text.h"
#include "queue/control/control.h"
#include "queue/spool/spool.h"

/* The most octets of a reply, with its code and status and a NUL. */
#define SMTPD_SNAPSHOT_REPLY_SIZE (SMTPD_REASON_SIZE + 32)

/* The state of a message, or of one of its jobs or recipients. */
enum smtpd_snapshot_state {
	SMTPD_SNAPSHOT_ACTIVE,   /* it is being tried */
	SMTPD_SNAPSHOT_READY,    /* it waits for its turn */
	SMTPD_SNAPSHOT_DEFERRED, /* it waits for its time */
	SMTPD_SNAPSHOT_HELD,     /* it waits for the operator */
	SMTPD_SNAPSHOT_DONE,     /* finished; only part of a message is */
	SMTPD_SNAPSHOT_STATES,
};

/* "active", "ready", "deferred", "held", "done". */
const char *smtpd__control_snapshot_word(enum smtpd_snapshot_state state);

struct smtpd_control_snapshot {
	struct smtpd_spool *spool;
	const struct smtpd_control_hooks *hooks;
	const struct smtpd_queued_message *message; /* the caller's pin */
	struct smtpd_queued_message *copy; /* with the schedule's state */

	/* If the message is damaged, only its id and arrived_ms are set. */
	struct smtpd_loaded_message loaded;
	int damage;   /* why it cannot be read, an errno; 0 */
	uint32_t now; /* of the queue's clock */
	enum smtpd_snapshot_state state;
	uint32_t left; /* recipients that are not finished */
	uint32_t due;  /* when the first of them is tried */
};

/* Take a snapshot of MESSAGE of S; the HOOKS may all be NULL.  Unless it is to
 * be WHOLE, the content is not read, nor damage of it found.  Return 0, or -1
 * with errno.  It must be finished in any case. */
int smtpd__control_snapshot_init(struct smtpd_control_snapshot *v,
    struct smtpd_spool *s, const struct smtpd_control_hooks *hooks,
    const struct smtpd_queued_message *message, bool whole);
void smtpd__control_snapshot_finish(struct smtpd_control_snapshot *v);

/* The state of JOB of v->copy. */
enum smtpd_snapshot_state smtpd__control_snapshot_job_state(
    const struct smtpd_control_snapshot *v,
    const struct smtpd_delivery_job *job);

/* Return the results of the last attempt of JOB of v->copy, which the caller
 * frees; NULL if there was none, or they cannot be read. */
struct smtpd_rcpt_progress *smtpd__control_snapshot_results(
    const struct smtpd_control_snapshot *v,
    const struct smtpd_delivery_job *job, size_t *count);

/* Return the result of recipient RCPT among RESULTS, or NULL. */
const struct smtpd_rcpt_progress *smtpd__control_snapshot_result(
    const struct smtpd_rcpt_progress *results, size_t count, uint32_t rcpt);

/* Return the history of JOB of v->copy, *LEN bytes, which the caller frees; or
 * NULL. */
char *smtpd__control_snapshot_history(const struct smtpd_control_snapshot *v,
    const struct smtpd_delivery_job *job, size_t *len);

/* Set OUT to what the schedule knows of the site of JOB of v->copy; return
 * false if none runs. */
bool smtpd__control_snapshot_site(const struct smtpd_control_snapshot *v,
    const struct smtpd_delivery_job *job, struct smtpd_control_site *out);

/* Return the domain of JOB's recipients, "" if it is not known. */
const char *smtpd__control_snapshot_domain(
    const struct smtpd_control_snapshot *v,
    const struct smtpd_delivery_job *job);

/* Append to TEXT why the message still waits, as far as it is known. */
void smtpd__control_snapshot_reason(
    const struct smtpd_control_snapshot *v, struct smtpd_text *text);

/* Append RESULT to TEXT: "450 4.2.0 try later". */
void smtpd__control_snapshot_reply(
    const struct smtpd_result *result, struct smtpd_text *text);

#endif
