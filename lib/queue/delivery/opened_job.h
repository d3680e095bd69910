/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_QUEUE_DELIVERY_OPENED_JOB_H
#define SMTPD_QUEUE_DELIVERY_OPENED_JOB_H

/* A job whose message was read, to be tried. */

#include "queue/delivery/disposition.h"

struct smtpd_opened_job {
	struct smtpd_delivery_job *job; /* active; its message is pinned */
	struct smtpd_loaded_message loaded;
	struct smtpd_disposition s; /* with all that are not finished */
	struct smtpd_delivery_request request; /* by which it goes ahead */
};

/* Read the message of JOB, all of it, as what is damaged is not sent.  NULL: it
 * cannot be read, and JOB was given up. */
struct smtpd_opened_job *smtpd__opened_job_open(
    struct smtpd_delivery *d, struct smtpd_delivery_job *job);

/* Free O; the job is the caller's. */
void smtpd__opened_job_close(struct smtpd_opened_job *o);

#endif
