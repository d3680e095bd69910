/* SPDX-License-Identifier: MIT */
#include "queue/delivery/maintenance.h"

#include "os/condition.h"
#include "os/thread.h"
#include "queue/delivery/attempt.h"
#include "queue/delivery/dispatch.h"

/* Seconds between two steps of cleaning while messages come and go, and
 * between two looks at a queue where nothing is to be done. */
#define STEP_S 1
#define LOOK_S 300

/* Wait until there is something to do: jobs are due, or the journal is to be
 * cleaned, of which there is MORE.  A wait of more than a step is ended when
 * something was written; that of an empty queue has no other end. */
static void
wait_for_work(struct smtpd_delivery *d, bool more)
{
	uint32_t now = smtpd__spool_clock_now(d->spool);
	uint32_t next = smtpd__schedule_next_time(d->schedule, now);
	uint32_t seconds = more || d->written ? STEP_S : LOOK_S;
	bool empty = !more && !d->written && smtpd__spool_count(d->spool) == 0;
	struct timespec until;

	if (next <= now || d->gather.nwaiting > 0)
		seconds = STEP_S;
	else if (next != SMTPD_TIME_NONE && next - now < seconds)
		seconds = next - now;
	until = smtpd__condition_after(seconds * 1000);
	d->maintenance_waits = empty || seconds > STEP_S;
	do {
		smtpd__condition_wait(
		    &d->wake_maintenance, &d->lock, empty ? NULL : &until);
	} while (empty && !d->written && !d->stopping);
	d->maintenance_waits = false;
}

void *
smtpd__maintenance_run(void *delivery)
{
	struct smtpd_delivery *d = delivery;
	struct smtpd_delivery_job *job;
	bool more = true;

	smtpd__thread_set_name("smtpd-upkeep");
	pthread_mutex_lock(&d->lock);
	while (!d->stopping) {
		/* End or report what waited too long for a suspended site. */
		while (!d->stopping &&
		    (job = smtpd__schedule_overdue(d->schedule,
			 smtpd__spool_clock_now(d->spool))) != NULL) {
			smtpd__spool_pin(d->spool, job->message);
			pthread_mutex_unlock(&d->lock);
			smtpd__attempt_overdue(d, job);
			pthread_mutex_lock(&d->lock);
		}
		smtpd__dispatch_wake_due(d);
		if (!d->stopping)
			wait_for_work(d, more);
		d->written = false;
		if (d->unscheduled) {
			pthread_mutex_unlock(&d->lock);
			smtpd__dispatch_schedule_all(d);
			pthread_mutex_lock(&d->lock);
		}
		pthread_mutex_unlock(&d->lock);
		smtpd__gather_report(d, false);
		more = smtpd__spool_clean(d->spool);
		pthread_mutex_lock(&d->lock);
	}
	pthread_mutex_unlock(&d->lock);
	return NULL;
}
