/* SPDX-License-Identifier: MIT */
#include "queue/delivery/gather.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "os/clock.h"
#include "queue/delivery/bounce.h"
#include "queue/delivery/dispatch.h"
#include "queue/delivery/report.h"

/* For so long a sender's reports are counted together. */
#define WINDOW_MS UINT64_C(60000)

/* Messages in one report. */
#define MESSAGES_MAX 100

struct smtpd_gathered {
	struct smtpd_gathered *next;
	struct smtpd_progress progress; /* points behind this */
	struct smtpd_bounce about;      /* likewise */
	struct smtpd_loaded_message loaded;
	char *sender;
	struct smtpd_rcpt_progress rcpts[];
};

/* Copy P and ABOUT, but not the message.  NULL without memory. */
static struct smtpd_gathered *
copy_failures(const struct smtpd_progress *p, const struct smtpd_bounce *about)
{
	const char *sender = about->loaded->envelope.sender;
	size_t rcpts = p->nrcpts * sizeof(*p->rcpts);
	struct smtpd_gathered *g =
	    malloc(sizeof(*g) + rcpts + p->history_len + strlen(sender) + 1);
	char *text;

	if (g == NULL)
		return NULL;
	text = (char *)g->rcpts + rcpts;
	*g = (struct smtpd_gathered){
		.progress = *p,
		.about = *about,
		.sender = text + p->history_len,
	};
	memcpy(g->rcpts, p->rcpts, rcpts);
	if (p->history_len > 0)
		memcpy(text, p->history, p->history_len);
	memcpy(g->sender, sender, strlen(sender) + 1);
	g->progress.rcpts = g->about.rcpts = g->rcpts;
	g->progress.history = text;
	g->about.loaded = &g->loaded;
	return g;
}

bool
smtpd__gather_add(struct smtpd_delivery *d, const struct smtpd_progress *p,
    const struct smtpd_bounce *about)
{
	const char *sender = about->loaded->envelope.sender;
	struct smtpd_gather_slot *slot =
	    &d->gather.slots[smtpd__hash_text_lower(SMTPD_HASH_START, sender) %
		SMTPD_GATHER_SLOTS];
	uint64_t now = smtpd__clock_ms();
	struct smtpd_gathered *g = NULL;

	if (!smtpd__bounce_is_wanted(about))
		return false;
	pthread_mutex_lock(&d->lock);
	if (slot->waiting == NULL && now - slot->since >= WINDOW_MS) {
		slot->since = now;
		slot->count = 0;
	}
	if (slot->count < d->settings.max_reports)
		slot->count++;
	else
		g = copy_failures(p, about);
	if (g != NULL) {
		g->next = slot->waiting;
		slot->waiting = g;
		slot->nwaiting++;
		d->gather.nwaiting++;
		smtpd__dispatch_wake_maintenance(d);
	}
	pthread_mutex_unlock(&d->lock);
	return g != NULL;
}

/* Take out those of SLOT that have one sender, MESSAGES_MAX at most.  The lock
 * is held. */
static struct smtpd_gathered *
take_sender(struct smtpd_gather *gather, struct smtpd_gather_slot *slot)
{
	struct smtpd_gathered **at = &slot->waiting;
	struct smtpd_gathered *list = NULL;
	size_t count = 0;

	while (*at != NULL && count < MESSAGES_MAX) {
		struct smtpd_gathered *g = *at;

		if (list != NULL && strcmp(list->sender, g->sender) != 0) {
			at = &g->next;
			continue;
		}
		*at = g->next;
		g->next = list;
		list = g;
		count++;
	}
	slot->nwaiting -= count;
	gather->nwaiting -= count;
	return list;
}

/* Take what is to be reported now.  NULL: nothing. */
static struct smtpd_gathered *
take_due(struct smtpd_delivery *d, bool all)
{
	struct smtpd_gather *gather = &d->gather;
	uint64_t now = smtpd__clock_ms();
	struct smtpd_gathered *list = NULL;

	pthread_mutex_lock(&d->lock);
	for (size_t i = 0;
	    gather->nwaiting > 0 && list == NULL && i < SMTPD_GATHER_SLOTS;
	    i++) {
		struct smtpd_gather_slot *slot = &gather->slots[i];

		if (all || now - slot->since >= WINDOW_MS ||
		    slot->nwaiting >= MESSAGES_MAX)
			list = take_sender(gather, slot);
	}
	pthread_mutex_unlock(&d->lock);
	return list;
}

/* Read the messages of LIST; those that cannot be read are given up.  Return
 * those that are left, *COUNT of them, with BOUNCES about them. */
static struct smtpd_gathered *
load_all(struct smtpd_delivery *d, struct smtpd_gathered *list,
    struct smtpd_bounce *bounces, size_t *count)
{
	struct smtpd_gathered *loaded = NULL, **end = &loaded;

	*count = 0;
	while (list != NULL) {
		struct smtpd_gathered *g = list;
		struct smtpd_delivery_job *job = g->progress.job;

		list = g->next;
		g->next = NULL;
		if (smtpd__spool_load(d->spool, job->message, &g->loaded) ==
		    -1) {
			/* It may have been removed. */
			smtpd__dispatch_return(d, job,
			    errno == ENOENT ? SMTPD_RETURN_TRIED
					    : SMTPD_RETURN_POSTPONED);
			free(g);
			continue;
		}
		bounces[(*count)++] = g->about;
		*end = g;
		end = &g->next;
	}
	return loaded;
}

/* Record all of LIST, the report MAIL with the first.  What is not recorded is
 * tried, and reported, once more. */
static void
record_all(struct smtpd_delivery *d, struct smtpd_gathered *list,
    const struct smtpd_spool_mail *mail)
{
	bool failed = mail == NULL;

	while (list != NULL) {
		struct smtpd_gathered *g = list;
		struct smtpd_queued_message *added = NULL;

		list = g->next;
		g->progress.report = mail;
		failed = failed ||
		    smtpd__spool_progress(d->spool, &g->progress, &added) == -1;
		mail = NULL;
		if (added != NULL)
			smtpd__report_queued(d, added, &g->loaded);
		smtpd__dispatch_return(d, g->progress.job,
		    failed ? SMTPD_RETURN_POSTPONED : SMTPD_RETURN_TRIED);
		smtpd__loaded_message_finish(&g->loaded);
		free(g);
	}
}

void
smtpd__gather_report(struct smtpd_delivery *d, bool all)
{
	struct smtpd_gathered *list;

	while ((list = take_due(d, all)) != NULL) {
		struct smtpd_bounce bounces[MESSAGES_MAX];
		struct smtpd_spool_mail mail;
		struct smtpd_bounce_hold *hold = NULL;
		size_t count;
		bool made;

		list = load_all(d, list, bounces, &count);
		made = count > 0 &&
		    smtpd__bounce_write(
			bounces, count, d->spool, &mail, &hold) == 0;
		record_all(d, list, made ? &mail : NULL);
		smtpd__bounce_free(hold);
	}
}
