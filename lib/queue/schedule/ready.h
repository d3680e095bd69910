/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_QUEUE_SCHEDULE_READY_H
#define SMTPD_QUEUE_SCHEDULE_READY_H

/* Ready jobs, in the order in which they are tried: the site's destinations in
 * turn, new mail three times as often as retries. */

#include "queue/schedule/state.h"

/* Make JOB, which is in no list, ready: as the next one of its kind, or as the
 * last.  Its timer is set to when a delay notice is due, or its life is
 * over. */
void smtpd__ready_insert(
    struct smtpd_schedule *s, struct smtpd_delivery_job *job, bool first);

/* Take JOB, which is ready, out. */
void smtpd__ready_remove(
    struct smtpd_schedule *s, struct smtpd_delivery_job *job);

/* The next job of SITE; NULL: there is none, or only retries, and none of them
 * may be tried now. */
struct smtpd_delivery_job *smtpd__ready_next(
    const struct smtpd_schedule *s, struct smtpd_site *site);

#endif
