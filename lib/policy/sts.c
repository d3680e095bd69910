/* SPDX-License-Identifier: MIT */
#include "policy/sts.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "os/condition.h"
#include "policy/sts_file.h"
#include "policy/sts_look.h"
#include "policy/sts_state.h"

/* Seconds between two looks at the TXT record of a policy, at least and at
 * most; after a failure; and between two fetches of one that goes on (RFC 8461,
 * 3.3 suggests a day). */
#define LOOK_MIN_S 300
#define LOOK_MAX_S 3600
#define AGAIN_S    300
#define FRESH_S    86400

/* What was not used for so long is not refreshed. */
#define UNUSED_S 2592000

struct smtpd_sts *
smtpd__sts_create(const struct smtpd_sts_settings *settings)
{
	struct smtpd_sts *s = calloc(1, sizeof(*s));
	int code;

	if (s == NULL)
		return NULL;
	s->set = *settings;
	pthread_mutex_init(&s->lock, NULL);
	smtpd__condition_init(&s->found);
	smtpd__condition_init(&s->wake);
	s->cancel = smtpd_cancel_create();
	if (smtpd__sts_table_begin(&s->table, settings->directory) == 0 &&
	    s->cancel != NULL)
		return s;
	code = errno;
	smtpd__sts_destroy(s);
	errno = code;
	return NULL;
}

void
smtpd__sts_destroy(struct smtpd_sts *s)
{
	if (s == NULL)
		return;
	smtpd__sts_table_finish(&s->table);
	smtpd_cancel_destroy(s->cancel);
	pthread_cond_destroy(&s->found);
	pthread_cond_destroy(&s->wake);
	pthread_mutex_destroy(&s->lock);
	free(s);
}

static uint64_t
clamp_look(uint32_t ttl_s)
{
	if (ttl_s < LOOK_MIN_S)
		return LOOK_MIN_S;
	return ttl_s > LOOK_MAX_S ? LOOK_MAX_S : ttl_s;
}

/* Keep the policy of L for E on the disk, so far as that can be. */
static void
store_policy(struct smtpd_sts *s, const struct smtpd_sts_look *l, uint64_t now)
{
	const struct smtpd_sts_stored stored = {
		.fetched_s = now,
		.text = l->text->at,
		.len = l->text->len,
	};
	struct smtpd_sts_stored named = stored;

	memcpy(named.id, l->id, sizeof(named.id));
	if (s->table.directory != -1 &&
	    smtpd__sts_file_write(s->table.directory, l->domain, &named) == -1)
		smtpd__logger_write(&s->set.logger, SMTPD_LOG_ERROR,
		    "the MTA-STS policy of %s cannot be kept: %s", l->domain,
		    strerror(errno));
}

/* Record what L found of E, at NOW. */
static void
end_look(struct smtpd_sts *s, struct smtpd_sts_entry *e,
    struct smtpd_sts_look *l, uint64_t now)
{
	const struct smtpd_logger *logger = &s->set.logger;

	e->look_s = now +
	    (l->failure != SMTPD_TLS_FAILURE_NONE ||
			l->record.status == SMTPD_TXT_FAILED
		    ? AGAIN_S
		    : clamp_look(l->record.ttl_s));
	if (l->text != NULL) {
		smtpd__logger_write(logger, SMTPD_LOG_INFO,
		    "MTA-STS policy of %s: mode=%s max_age=%lu id=%s",
		    l->domain, smtpd__sts_policy_word(l->policy.mode),
		    (unsigned long)l->policy.max_age_s, l->id);
		store_policy(s, l, now);
		smtpd__sts_table_set(&s->table, e, l->text, l->id, now);
	} else if (l->failure != SMTPD_TLS_FAILURE_NONE) {
		e->failure = l->failure;
		smtpd__logger_write(logger, SMTPD_LOG_WARNING,
		    "the MTA-STS policy of %s cannot be had: %s; %s", l->domain,
		    l->reason,
		    smtpd__sts_table_has_policy(e, now)
			? "the old one stays in use"
			: "mail goes without one");
	} else if (l->record.status == SMTPD_TXT_NONE) {
		e->failure = SMTPD_TLS_FAILURE_NONE;
	}
	if (e->text != NULL && !smtpd__sts_table_has_policy(e, now) &&
	    l->text == NULL)
		smtpd__sts_table_unset(&s->table, e);
}

/* Whether the policy of E is to be fetched, whatever its record says. */
static bool
is_stale(const struct smtpd_sts_entry *e, uint64_t now)
{
	uint64_t age = e->policy.max_age_s / 2;

	return e->text != NULL &&
	    now >= e->fetched_s + (age < FRESH_S ? age : FRESH_S);
}

/* Look for the policy of E; the lock is let go of meanwhile. */
static void
look_at(struct smtpd_sts *s, struct smtpd_sts_entry *e,
    const struct smtpd_cancel *cancel, uint64_t now)
{
	struct smtpd_sts_look *l = calloc(1, sizeof(*l));

	if (l == NULL)
		return;
	snprintf(l->domain, sizeof(l->domain), "%s", e->domain);
	if (smtpd__sts_table_has_policy(e, now))
		memcpy(l->known, e->id, sizeof(l->known));
	l->stale = is_stale(e, now);
	e->busy = true;
	e->wanted = false;
	pthread_mutex_unlock(&s->lock);
	smtpd__sts_look_up(&s->set, l, cancel);
	pthread_mutex_lock(&s->lock);
	end_look(s, e, l, now);
	e->busy = false;
	pthread_cond_broadcast(&s->found);
	free(l);
}

static void
copy_found(struct smtpd_sts_entry *e, uint64_t now, struct smtpd_sts_found *out)
{
	e->used_s = now;
	out->failure = e->failure;
	/* One that holds for no time is for those who fetched it. */
	if (e->text == NULL ||
	    (!smtpd__sts_table_has_policy(e, now) && e->fetched_s != now))
		return;
	atomic_fetch_add(&e->text->refs, 1);
	out->text = e->text;
	out->policy = e->policy;
	out->until_s = smtpd__sts_table_end(e);
	memcpy(out->id, e->id, sizeof(out->id));
}

void
smtpd__sts_find(struct smtpd_sts *s, const char *domain,
    const struct smtpd_cancel *cancel, uint64_t now_s,
    struct smtpd_sts_found *out)
{
	struct smtpd_sts_entry *e;

	*out = (struct smtpd_sts_found){ .policy.mode = SMTPD_STS_NONE };
	pthread_mutex_lock(&s->lock);
	while ((e = smtpd__sts_table_find(&s->table, domain)) != NULL &&
	    e->busy && !smtpd__sts_table_has_policy(e, now_s) && !s->stopping)
		smtpd__condition_wait(&s->found, &s->lock, NULL);
	if (e == NULL)
		e = smtpd__sts_table_add(&s->table, domain);
	if (e != NULL && !smtpd__sts_table_has_policy(e, now_s) &&
	    now_s >= e->look_s && !s->stopping)
		look_at(s, e, cancel, now_s);
	if (e != NULL && smtpd__sts_table_has_policy(e, now_s) &&
	    now_s >= e->look_s && !e->busy) {
		e->wanted = true;
		pthread_cond_signal(&s->wake);
	}
	if (e != NULL)
		copy_found(e, now_s, out);
	pthread_mutex_unlock(&s->lock);
}

void
smtpd__sts_release(struct smtpd_sts_found *found)
{
	smtpd__sts_table_unref_text(found->text);
	found->text = NULL;
}

void
smtpd__sts_doubt(struct smtpd_sts *s, const char *domain, uint64_t now_s)
{
	struct smtpd_sts_entry *e;

	pthread_mutex_lock(&s->lock);
	e = smtpd__sts_table_find(&s->table, domain);
	if (e != NULL && !e->busy && e->text != NULL &&
	    now_s >= e->fetched_s + AGAIN_S) {
		e->wanted = true;
		e->look_s = now_s < e->look_s ? now_s : e->look_s;
		pthread_cond_signal(&s->wake);
	}
	pthread_mutex_unlock(&s->lock);
}

static bool
is_due(const struct smtpd_sts_entry *e, uint64_t now)
{
	const bool in_use = now < e->used_s + UNUSED_S;

	return now >= e->look_s && e->text != NULL &&
	    (e->wanted || (in_use && is_stale(e, now)));
}

void
smtpd__sts_refresh(struct smtpd_sts *s, uint64_t now_s)
{
	uint32_t bucket = 0;
	struct smtpd_sts_entry *e;

	pthread_mutex_lock(&s->lock);
	/* A look moves the next one into the future: this ends. */
	while (!s->stopping &&
	    (e = smtpd__sts_table_next(&s->table, &bucket, is_due, now_s)) !=
		NULL)
		look_at(s, e, s->cancel, now_s);
	pthread_mutex_unlock(&s->lock);
}
