/* SPDX-License-Identifier: MIT */
#include "queue/delivery/report.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/id.h"
#include "os/clock.h"
#include "queue/delivery/dead_letter.h"
#include "queue/delivery/dispatch.h"
#include "queue/delivery/history.h"

int
smtpd__report_prepare(struct smtpd_delivery *d, struct smtpd_report *r)
{
	const struct smtpd_bounce *b = &r->about;
	bool failed = b->action == SMTPD_DSN_FAILED;

	r->mail.content = NULL;
	r->hold = NULL;
	/* RFC 5321, 4.5.5 */
	if (failed && b->nrcpts > 0 && b->loaded->envelope.sender[0] == '\0') {
		if (!r->dead_lettered && smtpd__dead_letter_keep(d, b) == -1)
			return -1;
		r->dead_lettered = true;
		return 0;
	}
	if (!smtpd__bounce_is_wanted(b))
		return 0;
	return smtpd__bounce_write(b, 1, d->spool, &r->mail, &r->hold);
}

void
smtpd__report_queued(struct smtpd_delivery *d,
    struct smtpd_queued_message *report,
    const struct smtpd_loaded_message *about)
{
	atomic_fetch_add(&d->counts.reports, 1);
	smtpd__history_log_report(
	    &d->logger, report, about->envelope.sender, about->id);
	smtpd__dispatch_schedule(d, report);
}

/* The recipients of MESSAGE that are not finished, all failed.  NULL without
 * memory. */
static struct smtpd_rcpt_progress *
fail_rcpts(const struct smtpd_queued_message *message,
    const struct smtpd_loaded_message *loaded, size_t *count)
{
	static const struct smtpd_result lost = {
		.outcome = SMTPD_OUTCOME_PERMANENT,
		.status = "5.3.0",
		.text = "the message was damaged on the disk of this host "
			"before it could be sent",
	};
	struct smtpd_rcpt_progress *rcpts =
	    calloc(loaded->envelope.nrcpts, sizeof(*rcpts));

	*count = 0;
	for (uint32_t i = 0; rcpts != NULL && i < message->njobs; i++) {
		const struct smtpd_delivery_job *job = &message->jobs[i];

		for (uint32_t r = job->first; r - job->first < job->count; r++)
			if (r < loaded->envelope.nrcpts &&
			    !smtpd__queued_message_is_finished(message, job, r))
				rcpts[(*count)++] =
				    (struct smtpd_rcpt_progress){
					    .rcpt = r,
					    .finished = true,
					    .result = lost,
				    };
	}
	return rcpts;
}

/* End MESSAGE, of which LOADED has the envelope. */
static int
end_lost(struct smtpd_delivery *d, struct smtpd_queued_message *message,
    const struct smtpd_loaded_message *loaded, const char *why,
    struct smtpd_queued_message **report)
{
	size_t count;
	struct smtpd_rcpt_progress *rcpts = fail_rcpts(message, loaded, &count);
	const struct smtpd_bounce about = {
		.hostname = d->hostname,
		.settings = &d->settings,
		.postmaster = d->settings.postmaster,
		.loaded = loaded,
		.signing = &d->signing,
		.flags = message->flags,
		.action = SMTPD_DSN_FAILED,
		.rcpts = rcpts,
		.nrcpts = count,
		.now_ms = smtpd__clock_wall_ms(),
	};
	bool wanted = rcpts != NULL && smtpd__bounce_is_wanted(&about);
	struct smtpd_spool_mail mail;
	struct smtpd_bounce_hold *hold = NULL;
	int status = rcpts != NULL ? 0 : -1;

	if (wanted)
		status = smtpd__bounce_write(&about, 1, d->spool, &mail, &hold);
	if (status == 0)
		status = smtpd__state_change_quarantine(
		    d->spool, message, why, wanted ? &mail : NULL, report);
	if (status == 0)
		atomic_fetch_add(&d->counts.failed, count);
	smtpd__bounce_free(hold);
	free(rcpts);
	return status;
}

int
smtpd__report_lost(
    void *user, struct smtpd_queued_message *message, const char *why)
{
	struct smtpd_delivery *d = user;
	struct smtpd_queued_message *report = NULL;
	struct smtpd_loaded_message loaded;
	char id[SMTPD_ID_SIZE];
	int status;

	if (smtpd__spool_load_envelope(d->spool, message, &loaded) == 0) {
		status = end_lost(d, message, &loaded, why, &report);
		if (report != NULL)
			smtpd__report_queued(d, report, &loaded);
		smtpd__loaded_message_finish(&loaded);
	} else {
		status = smtpd__state_change_end(d->spool, message, why);
	}
	if (status == -1)
		return -1;
	smtpd__id_write(message->id, id);
	smtpd__logger_write(&d->logger, SMTPD_LOG_ERROR,
	    "id=%s: what is left of the message is in quarantine/%s", id,
	    report != NULL ? ", and its sender is told" : "");
	pthread_mutex_lock(&d->lock);
	for (uint32_t i = 0; i < message->njobs; i++)
		smtpd__schedule_withdraw(d->schedule, &message->jobs[i]);
	pthread_mutex_unlock(&d->lock);
	return 0;
}
