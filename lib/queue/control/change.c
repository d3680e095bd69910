/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>

#include "queue/control/commands.h"
#include "queue/schedule/schedule.h"

/* Without a schedule: record that JOB, whose copy is COPY, is due now.  What
 * came of its last attempt stays on record. */
static int
make_due(struct smtpd_control_request *r, struct smtpd_delivery_job *job,
    const struct smtpd_delivery_job *copy)
{
	static const char history[] = "flushed by the operator\n";
	struct smtpd_rcpt_progress *results;
	struct smtpd_queued_message *report = NULL;
	size_t count, kept = 0;
	struct smtpd_progress progress = {
		.job = job,
		.due = smtpd__spool_now(r->spool),
		.attempts = copy->attempts,
		.delay_notice_sent = copy->delay_notice_sent,
		.in_doubt = copy->in_doubt,
		.history = history,
		.history_len = sizeof(history) - 1,
	};
	int error = 0;

	if (job->due <= progress.due)
		return 0;
	if (smtpd__spool_history_results(r->spool, job, &results, &count) == -1)
		return errno;
	for (size_t i = 0; i < count; i++)
		if (!results[i].finished)
			results[kept++] = results[i];
	progress.rcpts = results;
	progress.nrcpts = kept;
	if (smtpd__spool_progress(r->spool, &progress, &report) == -1)
		error = errno;
	free(results);
	return error;
}

static bool
is_of_domain(const struct smtpd_delivery_job *job, const char *domain)
{
	return domain == NULL ||
	    smtpd__text_same(smtpd__destination_name(job->destination), domain);
}

/* Have the jobs of MESSAGE for DOMAIN (NULL: all) tried now, unless it is held;
 * count it in *COUNT if there was one. */
static int
flush_message(struct smtpd_control_request *r,
    struct smtpd_queued_message *message, const char *domain, uint64_t *count)
{
	struct smtpd_queued_message *copy =
	    smtpd__spool_copy(r->spool, message);
	bool any = false;
	int error = 0;

	if (copy == NULL)
		return smtpd__control_request_fail_errno(r, ENOMEM, "");
	if ((copy->flags & (SMTPD_MESSAGE_HELD | SMTPD_MESSAGE_REMOVED)) != 0)
		copy->njobs = 0;
	for (uint32_t i = 0; i < copy->njobs && error == 0; i++) {
		struct smtpd_delivery_job *job = &message->jobs[i];

		if (copy->jobs[i].finished || !is_of_domain(job, domain))
			continue;
		any = true;
		if (r->hooks->flush != NULL)
			r->hooks->flush(r->hooks->user, job);
		else
			error = make_due(r, job, &copy->jobs[i]);
	}
	*count += any;
	free(copy->finished);
	free(copy);
	return error == 0
	    ? 0
	    : smtpd__control_request_fail_errno(r, error, "cannot record it");
}

static int
say_flushed(struct smtpd_control_request *r, uint64_t count)
{
	smtpd__control_output_format(r->answer, "flushed %llu message%s\n",
	    (unsigned long long)count, count == 1 ? "" : "s");
	return 0;
}

static int
flush_one(struct smtpd_control_request *r, struct smtpd_queued_message *message)
{
	uint64_t count = 0;
	int error = flush_message(r, message, NULL, &count);

	if (error != 0)
		return error;
	if (count == 0)
		return smtpd__control_request_fail(
		    r, EBUSY, "it is held: release it", r->argument);
	return say_flushed(r, count);
}

/* All messages, or what they have for the domain that the argument names. */
static int
flush_many(struct smtpd_control_request *r)
{
	uint64_t count = 0, id = 0;
	struct smtpd_queued_message *message;
	int error = 0;

	while (
	    error == 0 && (message = smtpd__spool_next(r->spool, id)) != NULL) {
		id = message->id;
		error = flush_message(r, message, r->argument, &count);
		smtpd__spool_unpin(r->spool, message);
	}
	if (error != 0)
		return error;
	if (count == 0 && r->argument != NULL)
		return smtpd__control_request_fail(r, ENOENT,
		    "no such message, and no mail for such a domain",
		    r->argument);
	return say_flushed(r, count);
}

int
smtpd__control_change_flush(struct smtpd_control_request *r)
{
	struct smtpd_queued_message *message =
	    r->argument != NULL ? smtpd__control_request_find(r) : NULL;
	int error;

	if (message == NULL)
		return flush_many(r);
	error = flush_one(r, message);
	smtpd__spool_unpin(r->spool, message);
	return error;
}

/* Call HOOK, if there is one, with each job of MESSAGE. */
static void
each_job(const struct smtpd_control_request *r,
    struct smtpd_queued_message *message,
    void (*hook)(void *user, struct smtpd_delivery_job *job))
{
	for (uint32_t i = 0; hook != NULL && i < message->njobs; i++)
		hook(r->hooks->user, &message->jobs[i]);
}

static int
hold_or_release(struct smtpd_control_request *r, bool hold)
{
	struct smtpd_queued_message *message = smtpd__control_request_find(r);
	int error = 0;

	if (message == NULL)
		return smtpd__control_request_no_message(r);
	if (smtpd__state_change_hold(r->spool, message, hold) == -1)
		error =
		    smtpd__control_request_fail_errno(r, errno, r->argument);
	else
		each_job(
		    r, message, hold ? r->hooks->withdraw : r->hooks->resume);
	smtpd__spool_unpin(r->spool, message);
	if (error == 0)
		smtpd__control_output_format(
		    r->answer, "%s 1 message\n", hold ? "held" : "released");
	return error;
}

int
smtpd__control_change_hold(struct smtpd_control_request *r)
{
	return hold_or_release(r, true);
}

int
smtpd__control_change_release(struct smtpd_control_request *r)
{
	return hold_or_release(r, false);
}

/* No worker takes it up between the two steps: so it is out of the schedule
 * first; and again afterwards, as one may have put it back before it was marked
 * as removed. */
int
smtpd__control_change_remove(struct smtpd_control_request *r)
{
	struct smtpd_queued_message *message = smtpd__control_request_find(r);
	int error = 0;

	if (message == NULL)
		return smtpd__control_request_no_message(r);
	each_job(r, message, r->hooks->withdraw);
	if (smtpd__state_change_remove(r->spool, message) == -1) {
		error =
		    smtpd__control_request_fail_errno(r, errno, r->argument);
		each_job(r, message, r->hooks->resume);
	} else {
		each_job(r, message, r->hooks->withdraw);
	}
	smtpd__spool_unpin(r->spool, message);
	if (error == 0)
		smtpd__control_output_add(r->answer, "removed 1 message\n");
	return error;
}
