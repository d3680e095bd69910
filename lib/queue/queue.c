/* SPDX-License-Identifier: MIT */
#include "queue/control/server.h"
#include "queue/queue_state.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/container.h"
#include "base/sized.h"
#include "base/text.h"
#include "journal/disk/engine.h"
#include "journal/journal.h"
#include "os/clock.h"
#include "os/condition.h"
#include "os/random.h"
#include "os/thread.h"
#include "queue/delivery/dispatch.h"
#include "queue/delivery/late_sync.h"
#include "queue/delivery/maintenance.h"
#include "queue/delivery/report.h"
#include "queue/delivery/workers.h"
#include "queue/domain_policies.h"
#include "queue/settings.h"

/* Keep what is needed of SETTINGS after the opening. */
static void
set_settings(struct smtpd_queue *q, const struct smtpd_queue_settings *settings)
{
	struct smtpd_delivery *d = &q->delivery;

	d->settings = *settings;
	snprintf(d->hostname, sizeof(d->hostname), "%s", settings->hostname);
	snprintf(q->local_domain, sizeof(q->local_domain), "%s",
	    settings->local_domain);
	snprintf(q->postmaster, sizeof(q->postmaster), "%s%s",
	    settings->postmaster != NULL ? "" : "postmaster@",
	    settings->postmaster != NULL ? settings->postmaster
					 : settings->local_domain);
	snprintf(q->masquerade, sizeof(q->masquerade), "%s",
	    settings->masquerade != NULL ? settings->masquerade : "");
	d->logger = (struct smtpd_logger){
		.log = settings->log,
		.user = settings->log_user,
		.level = settings->log_level,
	};
	d->client = *settings->client;
	d->client.hostname = d->hostname;
	d->client.user = NULL;
	d->client.password = NULL;
	d->client.credentials = NULL;
	d->client.mechanisms = NULL;
	d->client.cancel = d->client.dot_cancel = NULL;
	/* The router has it. */
	d->client.trust = NULL;
	smtpd__sign_init(&d->signing, &d->logger, q->local_domain);
	smtpd__sign_set(&d->signing, settings->dkim);
}

#define DAY_MS 86400000

/* Create all but the spool.  Return 0, or -1 with errno and the reason in
 * ERROR. */
static int
create_parts(struct smtpd_delivery *d, char *error, size_t size)
{
	const struct smtpd_queue_settings *s = &d->settings;
	struct smtpd_schedule_settings schedule = {
		.workers = s->workers,
		.aside = d->aside,
		.site_connections = s->site_connections,
		.retry = {
			.min = s->retry_min_s,
			.max = s->retry_max_s,
			.lifetime = s->lifetime_s,
			.bounce_lifetime = s->bounce_lifetime_s,
			.delay_notice = s->delay_notice_s,
		},
	};

	snprintf(error, size, "no memory");
	errno = ENOMEM;
	d->cancel = smtpd_cancel_create();
	d->dot_cancel = smtpd_cancel_create();
	d->hoststat = smtpd__hoststat_create();
	smtpd__random_bytes(&schedule.seed, sizeof(schedule.seed));
	d->schedule = smtpd__schedule_create(&schedule);
	if (d->cancel == NULL || d->dot_cancel == NULL || d->hoststat == NULL ||
	    d->schedule == NULL)
		return -1;
	atomic_init(&d->trouble.dnssec_untold, s->policy->dane);
	d->client.cancel = d->cancel;
	d->client.dot_cancel = d->dot_cancel;
	d->agent = (struct smtpd_agent_settings){
		.client = &d->client,
		.hosts = d->hoststat,
		.logger = d->logger,
		.tls_lost_defer = s->policy->tls_lost_defer,
	};
	errno = EINVAL;
	if (smtpd__source_copy_fill(
		&d->sources, d->client.sources, d->client.nsources) == -1) {
		snprintf(error, size,
		    "a source of the client is no address, the second of its "
		    "family, or has no name for EHLO");
		return -1;
	}
	d->client.sources = d->sources.sources;
	d->router = smtpd__route_router_create(s, error, size);
	return d->router != NULL ? 0 : -1;
}

/* Open all of Q, which is zero.  Return 0, or -1 with errno and the reason in
 * ERROR. */
static int
open_parts(struct smtpd_queue *q, const char *directory,
    const struct smtpd_queue_settings *settings, char *error, size_t size)
{
	struct smtpd_delivery *d = &q->delivery;
	struct smtpd_spool_settings spool = {
		.segment_size = settings->segment_size,
		.destination = smtpd__dispatch_ref_destination,
		.release = smtpd__dispatch_unref_destination,
		.lost = smtpd__report_lost,
		.user = d,
	};

	set_settings(q, settings);
	spool.logger = d->logger;
	pthread_mutex_init(&d->lock, NULL);
	smtpd__condition_init(&d->wake_maintenance);
	smtpd__condition_init(&d->late_sync.wake);
	smtpd__condition_init(&d->late_sync.synced);
	d->aside = smtpd__workers_count_aside(settings->workers);
	smtpd__workers_init(d);
	smtpd__disk_space_init(&q->space, -1, settings->min_free);
	q->space.logger = d->logger;
	q->space.name = q->directory = strdup(directory);
	if (q->directory == NULL) {
		snprintf(error, size, "no memory");
		return -1;
	}
	/* The messages in the spool refer to the schedule. */
	if (create_parts(d, error, size) == -1)
		return -1;
	d->spool = smtpd__spool_open(
	    &smtpd__disk_engine, directory, &spool, error, size);
	if (d->spool == NULL)
		return -1;
	q->space.directory =
	    smtpd__journal_directory(smtpd__spool_journal(d->spool));
	d->agent.memory = smtpd__tls_memory_create(q->space.directory,
	    (uint32_t)(smtpd__clock_wall_ms() / DAY_MS), &d->logger);
	if (d->agent.memory == NULL) {
		snprintf(error, size, "no memory");
		return -1;
	}
	/* From here on they may not be used. */
	d->settings.hostname = d->hostname;
	d->settings.local_domain = q->local_domain;
	d->settings.postmaster = q->postmaster;
	d->settings.masquerade = NULL;
	d->settings.resolver = NULL;
	d->settings.client = NULL;
	d->settings.policy = NULL;
	d->settings.smarthost = NULL;
	d->settings.rules = NULL;
	d->settings.routes = NULL;
	d->settings.dkim = NULL;
	return smtpd__domain_policies_open(d, settings, directory, error, size);
}

struct smtpd_queue *
smtpd_queue_open(const char *directory,
    const struct smtpd_queue_settings *settings, char *error, size_t size)
{
	struct smtpd_settings_copy copy;
	struct smtpd_queue *q = NULL;
	int status, code;

	if (directory == NULL) {
		snprintf(error, size, "directory must not be NULL");
		errno = EINVAL;
		return NULL;
	}
	status = smtpd__queue_settings_copy(&copy, settings, error, size);
	if (status == 0) {
		q = calloc(1, sizeof(*q));
		snprintf(error, size, "no memory");
	}
	if (q != NULL)
		status = open_parts(q, directory, &copy.queue, error, size);
	code = errno;
	free(copy.rules);
	if (q != NULL && status == -1) {
		smtpd_queue_close(q);
		q = NULL;
	}
	errno = code;
	if (q != NULL) {
		smtpd__dispatch_find_destinations(&q->delivery);
		smtpd__dispatch_schedule_all(&q->delivery);
	}
	return q;
}

static void
act_on_job(void *user, struct smtpd_delivery_job *job,
    enum smtpd_control_action action)
{
	struct smtpd_delivery *d = user;

	pthread_mutex_lock(&d->lock);
	switch (action) {
	case SMTPD_CONTROL_FLUSH:
		smtpd__schedule_flush(
		    d->schedule, job, smtpd__spool_clock_now(d->spool));
		smtpd__dispatch_wake_worker(
		    d, smtpd__destination_site(job->destination));
		break;
	case SMTPD_CONTROL_WITHDRAW:
		smtpd__schedule_withdraw(d->schedule, job);
		break;
	case SMTPD_CONTROL_RESUME:
		smtpd__dispatch_insert(d, job);
		break;
	}
	pthread_mutex_unlock(&d->lock);
}

static void
inspect_job(void *user, const struct smtpd_delivery_job *job,
    struct smtpd_delivery_job *copy)
{
	struct smtpd_delivery *d = user;
	struct smtpd_site_info info;

	pthread_mutex_lock(&d->lock);
	copy->state = job->state;
	if (job->state != SMTPD_JOB_ACTIVE) {
		smtpd__destination_site_info(job->destination, &info);
		copy->due =
		    info.resumes_at > job->due ? info.resumes_at : job->due;
	}
	pthread_mutex_unlock(&d->lock);
}

static void
copy_site(const struct smtpd_site_info *info, struct smtpd_control_site *out)
{
	*out = (struct smtpd_control_site){
		.connections = info->connections,
		.limit = info->limit,
		.failures = info->failures,
		.resumes_at = info->resumes_at,
		.shaping = info->shaping,
	};
	snprintf(out->name, sizeof(out->name), "%s", info->name);
	snprintf(out->why, sizeof(out->why), "%s",
	    info->why != NULL ? info->why->text : "");
}

static void
describe_site(void *user, const struct smtpd_delivery_job *job,
    struct smtpd_control_site *out)
{
	struct smtpd_delivery *d = user;
	struct smtpd_site_info info;

	pthread_mutex_lock(&d->lock);
	smtpd__destination_site_info(job->destination, &info);
	copy_site(&info, out);
	pthread_mutex_unlock(&d->lock);
}

/* Start the threads that are no workers.  Return 0, or an errno value. */
static int
start_threads(struct smtpd_delivery *d)
{
	int code = smtpd__late_sync_start(d);

	if (code != 0)
		return code;
	code = smtpd__domain_policies_start(d);
	if (code == 0)
		code = smtpd__thread_start(
		    &d->maintenance, 0, smtpd__maintenance_run, d);
	if (code != 0) {
		smtpd__domain_policies_stop(d);
		smtpd__late_sync_stop(d);
	}
	return code;
}

static size_t
list_sites(
    void *user, uint32_t *place, struct smtpd_control_site *out, size_t max)
{
	struct smtpd_delivery *d = user;
	struct smtpd_site_info *info = calloc(max, sizeof(*info));
	size_t n;

	if (info == NULL) {
		*place = UINT32_MAX;
		return 0;
	}
	pthread_mutex_lock(&d->lock);
	n = smtpd__destination_list_sites(d->schedule, place, info, max);
	for (size_t i = 0; i < n; i++)
		copy_site(&info[i], &out[i]);
	pthread_mutex_unlock(&d->lock);
	free(info);
	return n;
}

static void
count_work(void *user, struct smtpd_queue_counters *out)
{
	smtpd_queue_count(
	    SMTPD_CONTAINER_OF(user, struct smtpd_queue, delivery), out);
}

int
smtpd_queue_start(struct smtpd_queue *q, char *error, size_t size)
{
	struct smtpd_delivery *d = &q->delivery;
	int code;

	if (d->running || d->stopping) {
		snprintf(error, size,
		    d->stopping ? "the queue was stopped: open it again"
				: "the queue was started already");
		errno = EBUSY;
		return -1;
	}
	q->hooks = (struct smtpd_control_hooks){
		.act = act_on_job,
		.inspect = inspect_job,
		.site = describe_site,
		.sites = list_sites,
		.count = count_work,
		.tls = smtpd__domain_policies_show,
		.user = d,
	};
	q->control =
	    smtpd__control_server_start(d->spool, &q->hooks, error, size);
	if (q->control == NULL)
		return -1;
	code = start_threads(d);
	if (code != 0) {
		snprintf(error, size, "no thread: %s", strerror(code));
		smtpd__control_server_stop(q->control);
		q->control = NULL;
		errno = code;
		return -1;
	}
	pthread_mutex_lock(&d->lock);
	d->running = true;
	smtpd__dispatch_wake_worker(d, NULL);
	pthread_mutex_unlock(&d->lock);
	return 0;
}

void
smtpd_queue_stop(struct smtpd_queue *q, uint32_t timeout_ms)
{
	struct smtpd_queue_counters c = { SMTPD_QUEUE_COUNTERS_INIT };
	struct smtpd_delivery *d = &q->delivery;

	if (!d->running)
		return;
	pthread_mutex_lock(&d->lock);
	d->stopping = true;
	pthread_cond_signal(&d->wake_maintenance);
	pthread_cond_broadcast(&d->late_sync.synced);
	pthread_mutex_unlock(&d->lock);
	smtpd__domain_policies_stop(d);
	smtpd__workers_stop(d, timeout_ms);
	pthread_join(d->maintenance, NULL);
	smtpd__gather_report(d, true);
	smtpd__late_sync_stop(d);
	smtpd__control_server_stop(q->control);
	q->control = NULL;
	pthread_mutex_lock(&d->lock);
	d->running = false;
	pthread_mutex_unlock(&d->lock);
	smtpd_queue_count(q, &c);
	smtpd__logger_write(&d->logger, SMTPD_LOG_INFO,
	    "queue stopped messages=%llu attempts=%llu sent=%llu failed=%llu "
	    "reports=%llu dead=%llu syncs=%llu",
	    (unsigned long long)c.messages, (unsigned long long)c.attempts,
	    (unsigned long long)c.sent, (unsigned long long)c.failed,
	    (unsigned long long)c.reports, (unsigned long long)c.dead,
	    (unsigned long long)c.syncs);
}

void
smtpd_queue_close(struct smtpd_queue *q)
{
	struct smtpd_delivery *d;

	if (q == NULL)
		return;
	d = &q->delivery;
	smtpd_queue_stop(q, 0);
	if (d->spool != NULL && d->schedule != NULL)
		smtpd__dispatch_withdraw_all(d);
	smtpd__spool_close(d->spool);
	smtpd__schedule_destroy(d->schedule);
	smtpd__domain_policies_close(d);
	smtpd__route_router_destroy(d->router);
	smtpd__tls_memory_destroy(d->agent.memory);
	smtpd__hoststat_destroy(d->hoststat);
	smtpd_cancel_destroy(d->cancel);
	smtpd_cancel_destroy(d->dot_cancel);
	smtpd__disk_space_finish(&q->space);
	smtpd__sign_destroy(&d->signing);
	free(q->directory);
	pthread_cond_destroy(&d->wake_maintenance);
	pthread_cond_destroy(&d->late_sync.wake);
	pthread_cond_destroy(&d->late_sync.synced);
	pthread_mutex_destroy(&d->lock);
	free(q);
}

int
smtpd_queue_set_trust(struct smtpd_queue *q, struct smtpd_trust *trust)
{
	if (trust == NULL) {
		errno = EINVAL;
		return -1;
	}
	smtpd__route_set_trust(q->delivery.router, trust);
	return 0;
}

int
smtpd_queue_set_routes(struct smtpd_queue *q, const struct smtpd_route *routes,
    size_t count, char *error, size_t size)
{
	if (routes == NULL && count > 0) {
		snprintf(error, size, "there are no routes");
		errno = EINVAL;
		return -1;
	}
	return smtpd__route_set_routes(
	    q->delivery.router, routes, count, error, size);
}

void
smtpd_queue_set_dkim(struct smtpd_queue *q, struct smtpd_dkim *dkim)
{
	smtpd__sign_set(&q->delivery.signing, dkim);
}

bool
smtpd_queue_has_room(struct smtpd_queue *q, uint64_t size)
{
	return smtpd__disk_space_has_room(&q->space, size);
}

int
smtpd_queue_count(struct smtpd_queue *q, struct smtpd_queue_counters *out)
{
	struct smtpd_delivery *d = &q->delivery;
	struct smtpd_queue_counters counters;
	struct smtpd_journal_stats journal;

	smtpd__journal_stats(smtpd__spool_journal(d->spool), &journal);
	counters = (struct smtpd_queue_counters){
		.messages = smtpd__spool_count(d->spool),
		.attempts = atomic_load(&d->counts.attempts),
		.sent = atomic_load(&d->counts.sent),
		.failed = atomic_load(&d->counts.failed),
		.reports = atomic_load(&d->counts.reports),
		.dead = atomic_load(&d->counts.dead_letters),
		.signed_messages = atomic_load(&d->signing.signed_count),
		.unsigned_messages = atomic_load(&d->signing.unsigned_count),
		.syncs = journal.syncs,
		.journal_bytes = journal.bytes,
	};
	return smtpd__sized_fill(out, &counters, sizeof(counters));
}
