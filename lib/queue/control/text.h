/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_QUEUE_CONTROL_TEXT_H
#define SMTPD_QUEUE_CONTROL_TEXT_H

/* A message in words: for people, and as JSON. */

#include "queue/control/output.h"
#include "queue/control/snapshot.h"

/* The line above a list, and that of one message in it. */
void smtpd__control_text_head(struct smtpd_control_output *a);
void smtpd__control_text_line(
    struct smtpd_control_output *a, const struct smtpd_control_snapshot *v);

/* What lists add up. */
struct smtpd_control_text_totals {
	uint64_t messages;
	uint64_t bytes;
	uint64_t states[SMTPD_SNAPSHOT_STATES];
};

/* The last line of a list. */
void smtpd__control_text_totals(
    struct smtpd_control_output *a, const struct smtpd_control_text_totals *t);

/* Envelope and state. */
void smtpd__control_text_message(
    struct smtpd_control_output *a, const struct smtpd_control_snapshot *v);

/* What was tried, what came of it, and what is next. */
void smtpd__control_text_why(
    struct smtpd_control_output *a, const struct smtpd_control_snapshot *v);

/*
 * The same two as one JSON object in a line.  Both have id, sender, size,
 * arrived, state, next, reason; the first recipients, ret, envid; the second
 * destinations.
 */
void smtpd__control_json_message(
    struct smtpd_control_output *a, const struct smtpd_control_snapshot *v);
void smtpd__control_json_why(
    struct smtpd_control_output *a, const struct smtpd_control_snapshot *v);

/* The histories of JOB of v->copy in memory that the caller frees, *LEN bytes, or
 * NULL. */
char *smtpd__control_text_history(const struct smtpd_control_snapshot *v,
    const struct smtpd_delivery_job *job, size_t *len);

/* The domain of JOB's recipients, "" if it is not known. */
const char *smtpd__control_text_domain(const struct smtpd_control_snapshot *v,
    const struct smtpd_delivery_job *job);

/* Why the message still waits: in OUT of SIZE bytes, "" if nothing is known. */
void smtpd__control_text_reason(
    const struct smtpd_control_snapshot *v, char *out, size_t size);

/* What a host, or we, said of a recipient: "450 4.2.0 try later". */
void smtpd__control_text_reply(
    const struct smtpd_result *result, char *out, size_t size);

#endif
