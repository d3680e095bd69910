/* SPDX-License-Identifier: MIT */
#include "queue/delivery/report.h"

#include <stdio.h>

#include "os/clock.h"

/* Keep the message in dead/, as it failed and nobody can be told. */
static int
keep_dead_letter(
    struct smtpd_delivery *d, struct smtpd_report *r, const char *reason)
{
	const struct smtpd_bounce *b = &r->about;
	char why[1024];

	if (r->dead_lettered)
		return 0;
	snprintf(why, sizeof(why), "%s: <%s>: %s", reason,
	    b->loaded->envelope.rcpts[b->rcpts[0].rcpt].address,
	    b->rcpts[0].result.text);
	if (smtpd__spool_quarantine_dead_letter(d->spool, b->loaded, why) == -1)
		return -1;
	r->dead_lettered = true;
	atomic_fetch_add(&d->counts.dead_letters, 1);
	smtpd__logger_write(
	    &d->logger, SMTPD_LOG_WARNING, "dead letter: %s", why);
	return 0;
}

int
smtpd__report_prepare(struct smtpd_delivery *d, struct smtpd_report *r)
{
	const struct smtpd_bounce *b = &r->about;
	bool failed = b->action == SMTPD_DSN_FAILED;

	r->mail.content = NULL;
	r->memory = NULL;
	/* RFC 5321, 4.5.5 */
	if (failed && b->nrcpts > 0 && b->loaded->envelope.sender[0] == '\0')
		return keep_dead_letter(
		    d, r, "a report could not be delivered");
	if (!smtpd__bounce_is_wanted(b))
		return 0;
	if (!r->counted) {
		pthread_mutex_lock(&d->lock);
		r->allowed = smtpd__bounce_limit_allows(&d->bounce_limit,
		    d->settings.max_reports, b->loaded->envelope.sender,
		    smtpd__clock_ms());
		pthread_mutex_unlock(&d->lock);
		r->counted = true;
	}
	if (r->allowed)
		return smtpd__bounce_write(b, d->spool, &r->mail, &r->memory);
	if (failed)
		return keep_dead_letter(d, r, "too many reports to one sender");
	return 0;
}
