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
	return smtpd__bounce_write(b, d->spool, &r->mail, &r->memory);
}

uint32_t
smtpd__report_wait(struct smtpd_delivery *d, const struct smtpd_bounce *about)
{
	uint64_t wait_ms;

	if (about->nrcpts == 0 || !smtpd__bounce_is_wanted(about))
		return 0;
	pthread_mutex_lock(&d->lock);
	wait_ms =
	    smtpd__bounce_limit_wait(&d->bounce_limit, d->settings.max_reports,
		about->loaded->envelope.sender, smtpd__clock_ms());
	pthread_mutex_unlock(&d->lock);
	return (uint32_t)((wait_ms + 999) / 1000);
}
