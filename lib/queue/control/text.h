/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_QUEUE_CONTROL_TEXT_H
#define SMTPD_QUEUE_CONTROL_TEXT_H

/*
 * Messages as text for people.
 */

#include "queue/control/output.h"
#include "queue/control/snapshot.h"

/* Write the line above a list, and that of one message in it. */
void smtpd__control_text_head(struct smtpd_control_output *a);
void smtpd__control_text_line(
    struct smtpd_control_output *a, const struct smtpd_control_snapshot *v);

/* What a list adds up. */
struct smtpd_control_text_totals {
	uint64_t messages;
	uint64_t bytes;
	uint64_t states[SMTPD_SNAPSHOT_STATES];
	uint64_t quarantine; /* things in quarantine/ */
	uint64_t dead;       /* and in dead/ */
};

/* Write the last line of a list. */
void smtpd__control_text_totals(
    struct smtpd_control_output *a, const struct smtpd_control_text_totals *t);

/* Write the envelope and the state. */
void smtpd__control_text_message(
    struct smtpd_control_output *a, const struct smtpd_control_snapshot *v);

/* Write what was tried, with what result, and what is next. */
void smtpd__control_text_why(
    struct smtpd_control_output *a, const struct smtpd_control_snapshot *v);

#endif
