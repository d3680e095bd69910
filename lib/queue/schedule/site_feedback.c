/* SPDX-License-Identifier: MIT */
#include "queue/schedule/site_feedback.h"

#include <stdlib.h>

#include "queue/schedule/retry.h"
#include "queue/schedule/shaping.h"
#include "queue/schedule/site.h"
#include "queue/schedule/turn.h"

/* One connection will probe it when it resumes. */
static void
suspend_site(struct smtpd_schedule *s, struct smtpd_site *site,
    const struct smtpd_result *why, uint32_t now)
{
	const struct smtpd_retry_bounds bounds = {
		.min = s->settings.retry.min,
		.max = s->settings.retry.max,
		.jitter = true,
	};
	uint64_t delay = smtpd__retry_backoff(
	    &bounds, ++site->failures, smtpd__state_random(s));

	site->limit = 1;
	site->probing = false;
	site->suspended = true;
	site->suspended_at = now;
	smtpd__heap_push(
	    &s->suspended, &site->resuming, smtpd__retry_after(now, delay));
	/* Without memory the reason is not known later: no more than that. */
	if (why != NULL && site->why == NULL)
		site->why = malloc(sizeof(*site->why));
	if (why != NULL && site->why != NULL)
		*site->why = *why;
}

/* Give SITE more connections, fewer, or none for a while. */
static void
adapt_site(struct smtpd_schedule *s, struct smtpd_site *site,
    enum smtpd_site_feedback feedback, const struct smtpd_result *why,
    uint32_t now)
{
	bool fine = feedback == SMTPD_SITE_FINE || feedback == SMTPD_SITE_SLOW;
	/* An attempt that began before the suspension says nothing new. */
	bool stale = site->failures > 0 && !site->probing;
	uint32_t most = smtpd__shaping_connections(s, site);

	if (fine || (feedback == SMTPD_SITE_DOWN && !stale))
		smtpd__turn_set_known(s, site, feedback == SMTPD_SITE_FINE);
	if (fine && site->failures > 0) {
		smtpd__site_resume(s, site);
		site->failures = 0;
		site->limit = s->start_limit < most ? s->start_limit : most;
		site->successes = 0;
		free(site->why);
		site->why = NULL;
	} else if (fine) {
		if (++site->successes >= site->limit) {
			site->successes = 0;
			if (site->limit < most)
				site->limit++;
		}
	} else if (!stale) {
		if (feedback == SMTPD_SITE_DOWN || site->limit == 1)
			suspend_site(s, site, why, now);
		else
			site->limit--;
		site->successes = 0;
	}
	smtpd__turn_place(s, site);
}

/* SITE is in TROUBLE by now, or not. */
static struct smtpd_site_status
judge_trouble(struct smtpd_schedule *s, struct smtpd_site *site, bool trouble,
    uint32_t now)
{
	struct smtpd_site_status v = {
		.name = site->named.name,
		.trouble_begins = trouble && !site->trouble,
		.trouble_ends = !trouble && site->trouble,
	};

	s->ntrouble += v.trouble_begins;
	s->ntrouble -= v.trouble_ends;
	site->trouble = trouble;
	/* Sites that work are freed when they have no more mail: that all which
	 * are left are in trouble says something only if none was fine
	 * lately. */
	v.none_left = s->nsites > 1 && s->ntrouble == s->nsites &&
	    now >= smtpd__retry_after(s->fine_at, s->settings.retry.min);
	return v;
}

struct smtpd_site_status
smtpd__site_feedback_report(struct smtpd_schedule *s, struct smtpd_site *site,
    enum smtpd_site_feedback feedback, const struct smtpd_result *why,
    uint32_t now)
{
	bool trouble = site->trouble;
	struct smtpd_site_status status;

	smtpd__site_resume_due(s, now);
	if (feedback == SMTPD_SITE_OFFLINE) {
		trouble = true;
	} else if (feedback != SMTPD_SITE_UNTOLD) {
		adapt_site(s, site, feedback, why, now);
		trouble = site->failures > 0;
	}
	if (feedback == SMTPD_SITE_FINE || feedback == SMTPD_SITE_SLOW)
		s->fine_at = now;
	status = judge_trouble(s, site, trouble, now);
	status.resumes_at = site->suspended ? site->resuming.when : now;
	return status;
}

struct smtpd_site_status
smtpd__site_feedback_found(
    struct smtpd_schedule *s, struct smtpd_destination *d, uint32_t now)
{
	struct smtpd_site_status none = { 0 };

	return d->own != NULL ? judge_trouble(s, d->own, false, now) : none;
}
