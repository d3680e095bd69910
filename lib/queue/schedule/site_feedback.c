/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "queue/schedule/retry.h"
#include "queue/schedule/site.h"

/* Remember WHY, unless there is no memory for it. */
static void
keep_reason(struct smtpd_site *site, const struct smtpd_result *why)
{
	if (why == NULL)
		return;
	if (site->why == NULL)
		site->why = malloc(sizeof(*site->why));
	if (site->why != NULL)
		*site->why = *why;
}

static void
close_site(struct smtpd_schedule *s, struct smtpd_site *site,
    const struct smtpd_result *why, uint32_t now)
{
	uint32_t resumes_at;

	site->failures++;
	resumes_at =
	    smtpd__retry_after(now, smtpd__retry_backoff(s, site->failures));
	keep_reason(site, why);
	site->limit = 1;
	site->probing = false;
	site->closed = true;
	smtpd__heap_push(&s->closed, &site->opening, resumes_at);
}

/* An attempt that began before SITE was closed tells nothing new. */
static bool
is_stale(const struct smtpd_site *site)
{
	return site->failures > 0 && !site->probing;
}

static void
note_fine(struct smtpd_schedule *s, struct smtpd_site *site)
{
	if (site->failures > 0) {
		smtpd__site_open(s, site);
		site->failures = 0;
		site->limit = s->start_limit;
		site->successes = 0;
		free(site->why);
		site->why = NULL;
		return;
	}
	if (++site->successes < site->limit)
		return;
	site->successes = 0;
	if (site->limit < s->site_limit)
		site->limit++;
}

uint32_t
smtpd__site_feedback_report(struct smtpd_schedule *s, struct smtpd_site *site,
    enum smtpd_site_feedback verdict, const struct smtpd_result *why,
    uint32_t now)
{
	smtpd__site_open_due(s, now);
	if (verdict == SMTPD_SITE_FINE) {
		note_fine(s, site);
	} else if (!is_stale(site)) {
		if (verdict == SMTPD_SITE_DOWN || site->limit == 1)
			close_site(s, site, why, now);
		else
			site->limit--;
		site->successes = 0;
	}
	smtpd__site_settle(s, site);
	return site->closed ? site->opening.when : now;
}
