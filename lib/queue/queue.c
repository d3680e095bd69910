/* SPDX-License-Identifier: MIT */
#include "queue/queue_state.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "os/random.h"
#include "queue/delivery/dispatch.h"
#include "queue/delivery/maintenance.h"

static void
or_default(uint32_t *value, uint32_t standard)
{
	if (*value == 0)
		*value = standard;
}

static void
set_settings(struct smtpd_queue *q, const struct smtpd_queue_settings *settings)
{
	struct smtpd_queue_settings *s = &q->settings;

	if (settings != NULL)
		*s = *settings;
	or_default(&s->workers, 64);
	or_default(&s->site_connections, 10);
	or_default(&s->idle_ms, 5000);
	or_default(&s->retry_min_s, 300);
	or_default(&s->retry_max_s, 7200);
	or_default(&s->lifetime_s, 432000);
	or_default(&s->bounce_lifetime_s, 172800);
	or_default(&s->delay_notice_s, 14400);
	or_default(&s->max_reports, 60);
	if (s->retry_max_s < s->retry_min_s)
		s->retry_max_s = s->retry_min_s;
	if (s->log_level == 0)
		s->log_level = SMTPD_LOG_INFO;
	if (s->hostname != NULL)
		snprintf(q->hostname, sizeof(q->hostname), "%s", s->hostname);
	else if (gethostname(q->hostname, sizeof(q->hostname) - 1) != 0)
		snprintf(q->hostname, sizeof(q->hostname), "localhost");
	s->hostname = q->hostname;
	if (s->fix == 0)
		s->fix = SMTPD_FIX_DATE | SMTPD_FIX_MESSAGE_ID;
	snprintf(q->local_domain, sizeof(q->local_domain), "%s",
	    s->local_domain != NULL ? s->local_domain : q->hostname);
	s->local_domain = q->local_domain;
}

static void
set_client(struct smtpd_queue *q)
{
	if (q->settings.client != NULL)
		q->client = *q->settings.client;
	q->client.hostname = q->hostname;
	q->client.cancel = q->cancel;
	if (q->client.trust != NULL)
		smtpd_trust_ref(q->client.trust);
	q->agent = (struct smtpd_agent_settings){
		.client = &q->client,
		.hosts = q->hosts,
		.log = q->settings.log,
		.log_user = q->settings.log_user,
		.log_level = q->settings.log_level,
	};
}

static struct smtpd_schedule *
make_schedule(const struct smtpd_queue_settings *s)
{
	struct smtpd_schedule_settings settings = {
		.workers = s->workers,
		.site_connections = s->site_connections,
		.retry = {
			.min = s->retry_min_s,
			.max = s->retry_max_s,
			.lifetime = s->lifetime_s,
			.bounce_lifetime = s->bounce_lifetime_s,
			.delay_notice = s->delay_notice_s,
		},
	};

	smtpd__random_bytes(&settings.seed, sizeof(settings.seed));
	return smtpd__schedule_create(&settings);
}

void
smtpd__queue_log(const struct smtpd_queue *q, enum smtpd_log_level level,
    const char *format, ...)
{
	char line[1024];
	struct smtpd_text t;
	va_list ap;

	if (q->settings.log == NULL || level > q->settings.log_level)
		return;
	smtpd__text_init(&t, line, sizeof(line));
	va_start(ap, format);
	smtpd__text_vformat(&t, format, ap);
	va_end(ap);
	q->settings.log(level, line, q->settings.log_user);
}

static struct smtpd_spool *
open_spool(
    struct smtpd_queue *q, const char *directory, char *error, size_t size)
{
	struct smtpd_spool_settings settings = {
		.segment_size = q->settings.segment_size,
		.destination = smtpd__dispatch_destination,
		.release = smtpd__dispatch_release,
		.lost = smtpd__dispatch_lost,
		.user = q,
		.log = q->settings.log,
		.log_user = q->settings.log_user,
		.log_level = q->settings.log_level,
	};

	return smtpd__spool_open(directory, &settings, error, size);
}

/* All but the spool.  Return 0, or -1 with errno and the reason in ERROR. */
static int
make_parts(struct smtpd_queue *q, char *error, size_t size)
{
	snprintf(error, size, "no memory");
	errno = ENOMEM;
	q->cancel = smtpd_cancel_create();
	q->hosts = smtpd__hoststat_create();
	q->limit = smtpd__bounce_limit_create(q->settings.max_reports);
	q->schedule = make_schedule(&q->settings);
	set_client(q);
	if (q->cancel == NULL || q->hosts == NULL || q->limit == NULL ||
	    q->schedule == NULL)
		return -1;
	errno = EINVAL;
	q->router = smtpd__router_create(&q->settings, error, size);
	return q->router != NULL ? 0 : -1;
}

static struct smtpd_queue *
make_queue(const struct smtpd_queue_settings *settings)
{
	struct smtpd_queue *q = calloc(1, sizeof(*q));
	pthread_condattr_t attr;

	if (q == NULL)
		return NULL;
	set_settings(q, settings);
	pthread_mutex_init(&q->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&q->keep, &attr);
	pthread_condattr_destroy(&attr);
	smtpd__disk_space_init(&q->space, -1, q->settings.min_free);
	return q;
}

struct smtpd_queue *
smtpd_queue_open(const char *directory,
    const struct smtpd_queue_settings *settings, char *error, size_t size)
{
	struct smtpd_queue *q = make_queue(settings);
	int code = ENOMEM;

	if (q == NULL) {
		snprintf(error, size, "no memory");
		goto fail;
	}
	if (make_parts(q, error, size) == -1) {
		code = errno;
		goto fail;
	}
	q->spool = open_spool(q, directory, error, size);
	if (q->spool == NULL) {
		code = errno;
		goto fail;
	}
	q->space.directory = smtpd__spool_directory(q->spool);
	smtpd__dispatch_schedule_all(q);
	return q;
fail:
	smtpd_queue_close(q);
	errno = code;
	return NULL;
}

int
smtpd_queue_start(struct smtpd_queue *q, char *error, size_t size)
{
	if (q->stopping) {
		snprintf(error, size, "the queue was stopped: open it again");
		errno = EINVAL;
		return -1;
	}
	smtpd__dispatch_hooks(q, &q->hooks);
	q->control =
	    smtpd__control_server_start(q->spool, &q->hooks, error, size);
	if (q->control == NULL)
		return -1;
	if (smtpd__maintenance_start(q) == -1) {
		snprintf(error, size, "no thread: %s", strerror(errno));
		smtpd__control_server_stop(q->control);
		q->control = NULL;
		return -1;
	}
	pthread_mutex_lock(&q->lock);
	q->running = true;
	smtpd__workers_wake(q, NULL);
	pthread_mutex_unlock(&q->lock);
	return 0;
}

static void
log_figures(struct smtpd_queue *q)
{
	struct smtpd_queue_counters c;

	smtpd_queue_count(q, &c);
	smtpd__queue_log(q, SMTPD_LOG_INFO,
	    "queue stopped messages=%llu attempts=%llu sent=%llu failed=%llu "
	    "reports=%llu dead=%llu syncs=%llu",
	    (unsigned long long)c.messages, (unsigned long long)c.attempts,
	    (unsigned long long)c.sent, (unsigned long long)c.failed,
	    (unsigned long long)c.reports, (unsigned long long)c.dead,
	    (unsigned long long)c.syncs);
}

void
smtpd_queue_stop(struct smtpd_queue *q, uint32_t timeout_ms)
{
	if (!q->running)
		return;
	pthread_mutex_lock(&q->lock);
	q->stopping = true;
	pthread_cond_signal(&q->keep);
	pthread_mutex_unlock(&q->lock);
	smtpd__workers_stop(q, timeout_ms);
	smtpd__maintenance_stop(q);
	smtpd__control_server_stop(q->control);
	q->control = NULL;
	pthread_mutex_lock(&q->lock);
	q->running = false;
	pthread_mutex_unlock(&q->lock);
	log_figures(q);
}

void
smtpd_queue_close(struct smtpd_queue *q)
{
	if (q == NULL)
		return;
	smtpd_queue_stop(q, 0);
	smtpd__spool_close(q->spool);
	if (q->schedule != NULL)
		smtpd__schedule_destroy(q->schedule);
	smtpd__router_destroy(q->router);
	smtpd__hoststat_destroy(q->hosts);
	smtpd__bounce_limit_destroy(q->limit);
	smtpd_trust_unref(q->client.trust);
	smtpd_cancel_destroy(q->cancel);
	smtpd__disk_space_finish(&q->space);
	pthread_cond_destroy(&q->keep);
	pthread_mutex_destroy(&q->lock);
	free(q);
}

bool
smtpd_queue_has_room(struct smtpd_queue *q, uint64_t size)
{
	return smtpd__disk_space_has_room(&q->space, size);
}

void
smtpd_queue_count(struct smtpd_queue *q, struct smtpd_queue_counters *out)
{
	struct smtpd_disk_stats log;

	smtpd__spool_stats(q->spool, &log);
	*out = (struct smtpd_queue_counters){
		.messages = smtpd__spool_count(q->spool),
		.attempts = atomic_load(&q->counts.attempts),
		.sent = atomic_load(&q->counts.sent),
		.failed = atomic_load(&q->counts.failed),
		.reports = atomic_load(&q->counts.reports),
		.dead = atomic_load(&q->counts.dead),
		.syncs = log.syncs,
		.log_bytes = log.bytes,
	};
}
