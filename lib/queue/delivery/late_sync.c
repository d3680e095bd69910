/* SPDX-License-Identifier: MIT */
#include "queue/delivery/late_sync.h"

#include "os/clock.h"
#include "os/condition.h"
#include "os/thread.h"
#include "queue/delivery/trouble.h"

/* What was recorded is durable after so long at most; and after this a sync is
 * begun, which takes some time itself. */
#define DURABLE_MS 100
#define BEGIN_MS   50

/* How long the oldest record has waited to be durable; -1: there is none. */
static int64_t
oldest_age(const struct smtpd_delivery *d)
{
	uint64_t since = smtpd__spool_progress_since(d->spool);

	return since != 0 ? (int64_t)(smtpd__clock_ms() - since) : -1;
}

/* Make durable all that was recorded.  As long as that cannot be done it is
 * tried again, each second, until the thread is to stop. */
static void
sync_all(struct smtpd_delivery *d)
{
	struct smtpd_disk_trouble trouble = { 0 };

	while (smtpd__spool_progress_sync(d->spool) == -1) {
		if (!smtpd__trouble_await_disk(
			d, &trouble, &d->late_sync.stopping)) {
			smtpd__spool_progress_abandon(d->spool);
			return;
		}
	}
}

/* Wait until something was recorded, and is to be synced.  The lock is held.
 * Return false when there is nothing, and the thread is to stop. */
static bool
await_record(struct smtpd_delivery *d)
{
	struct smtpd_late_sync *l = &d->late_sync;
	int64_t age;

	/* Before it is looked at, so that what is recorded then wakes it. */
	atomic_store(&l->waits, true);
	while ((age = oldest_age(d)) == -1 && !l->stopping)
		smtpd__condition_wait(&l->wake, &d->lock, NULL);
	atomic_store(&l->waits, false);
	while (age != -1 && age < BEGIN_MS && !l->stopping) {
		const struct timespec until =
		    smtpd__condition_after((uint32_t)(BEGIN_MS - age));

		smtpd__condition_wait(&l->wake, &d->lock, &until);
		age = oldest_age(d);
	}
	return age != -1;
}

static void *
run_sync(void *delivery)
{
	struct smtpd_delivery *d = delivery;

	smtpd__thread_set_name("smtpd-sync");
	pthread_mutex_lock(&d->lock);
	while (await_record(d)) {
		pthread_mutex_unlock(&d->lock);
		sync_all(d);
		pthread_mutex_lock(&d->lock);
		pthread_cond_broadcast(&d->late_sync.synced);
	}
	d->late_sync.running = false;
	pthread_cond_broadcast(&d->late_sync.synced);
	pthread_mutex_unlock(&d->lock);
	return NULL;
}

int
smtpd__late_sync_start(struct smtpd_delivery *d)
{
	int code;

	d->late_sync.stopping = false;
	d->late_sync.running = true;
	code = smtpd__thread_start(&d->late_sync.thread, 0, run_sync, d);
	if (code != 0)
		d->late_sync.running = false;
	return code;
}

void
smtpd__late_sync_stop(struct smtpd_delivery *d)
{
	pthread_mutex_lock(&d->lock);
	d->late_sync.stopping = true;
	pthread_cond_signal(&d->late_sync.wake);
	pthread_mutex_unlock(&d->lock);
	pthread_join(d->late_sync.thread, NULL);
}

void
smtpd__late_sync_wake(struct smtpd_delivery *d)
{
	if (!atomic_load(&d->late_sync.waits))
		return;
	pthread_mutex_lock(&d->lock);
	pthread_cond_signal(&d->late_sync.wake);
	pthread_mutex_unlock(&d->lock);
}

void
smtpd__late_sync_wait(struct smtpd_delivery *d)
{
	if (oldest_age(d) < DURABLE_MS)
		return;
	pthread_mutex_lock(&d->lock);
	while (
	    d->late_sync.running && !d->stopping && oldest_age(d) >= DURABLE_MS)
		pthread_cond_wait(&d->late_sync.synced, &d->lock);
	pthread_mutex_unlock(&d->lock);
}
