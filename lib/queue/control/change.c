/* SPDX-License-Identifier: MIT */
#include "queue/control/change.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <smtpd/address.h>

#include "base/id.h"
#include "grammar/address_parse.h"
#include "queue/schedule/schedule.h"

/* Without a schedule: record that JOB, whose copy is COPY, is due now.  The
 * results of its last attempt stay on record. */
static int
record_due(const struct smtpd_control_request *r,
    struct smtpd_delivery_job *job, const struct smtpd_delivery_job *copy)
{
	static const char history[] = "flushed by the operator\n";
	struct smtpd_rcpt_progress *results;
	struct smtpd_queued_message *report = NULL;
	size_t count, kept = 0;
	struct smtpd_progress progress = {
		.job = job,
		.due = smtpd__spool_clock_now(r->spool),
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

/* Log that the operator changed MESSAGE to STATUS. */
static void
log_change(const struct smtpd_control_request *r,
    const struct smtpd_queued_message *message, const char *status)
{
	char id[SMTPD_ID_SIZE];

	smtpd__id_write(message->id, id);
	smtpd__logger_write(smtpd__spool_logger(r->spool), SMTPD_LOG_INFO,
	    "id=%s status=%s by the operator", id, status);
}

/* Have the jobs of MESSAGE for DOMAIN (NULL: all) tried now, unless it is held.
 * Add 1 to *COUNT if there was one, and to *HELD if it is held. */
static int
flush_message(const struct smtpd_control_request *r,
    struct smtpd_queued_message *message, const char *domain, uint64_t *count,
    uint64_t *held)
{
	struct smtpd_queued_message *copy =
	    smtpd__spool_copy(r->spool, message);
	bool any = false;
	int error = 0;

	if (copy == NULL)
		return smtpd__control_request_fail(r, ENOMEM, NULL, "");
	if ((copy->flags & (SMTPD_MESSAGE_HELD | SMTPD_MESSAGE_REMOVED)) != 0)
		copy->njobs = 0;
	*held += (copy->flags & SMTPD_MESSAGE_HELD) != 0;
	for (uint32_t i = 0; i < copy->njobs && error == 0; i++) {
		struct smtpd_delivery_job *job = &message->jobs[i];
		const char *name = smtpd__destination_name(job->destination);

		if (copy->jobs[i].finished ||
		    (domain != NULL && !smtpd__text_same(name, domain)))
			continue;
		any = true;
		if (r->hooks->act != NULL)
			r->hooks->act(r->hooks->user, job, SMTPD_CONTROL_FLUSH);
		else
			error = record_due(r, job, &copy->jobs[i]);
	}
	*count += any;
	free(copy->finished);
	free(copy);
	if (error == 0)
		return 0;
	return smtpd__control_request_fail(
	    r, error, NULL, "cannot record the change");
}

/* Without a message, flush what all have for the domain of the argument, which
 * may be an address, and have U-labels; without an argument, everything. */
int
smtpd__control_change_flush(struct smtpd_control_request *r)
{
	const char *at = r->argument != NULL ? strrchr(r->argument, '@') : NULL;
	const char *domain = at != NULL ? at + 1 : r->argument;
	char key[SMTPD_DOMAIN_MAX + 1];
	struct smtpd_queued_message *message;
	uint64_t id = 0, count = 0, held = 0;
	int error = 0;

	if (smtpd_address_domain_key(domain, key, sizeof(key)) >= 0)
		domain = key;
	if (r->message != NULL)
		error = flush_message(r, r->message, NULL, &count, &held);
	while (r->message == NULL && error == 0 &&
	    (message = smtpd__spool_next(r->spool, id)) != NULL) {
		id = message->id;
		error = flush_message(r, message, domain, &count, &held);
		smtpd__spool_unpin(r->spool, message);
	}
	if (error != 0)
		return error;
	if (count == 0 && r->message != NULL)
		return smtpd__control_request_fail(r, EBUSY,
		    "the message is held, release it first", r->argument);
	if (count == 0 && r->argument != NULL)
		return smtpd__control_request_fail(r, ENOENT,
		    "no such message, and no mail for this domain",
		    r->argument);
	if (r->message != NULL)
		log_change(r, r->message, "flushed");
	else
		smtpd__logger_write(smtpd__spool_logger(r->spool),
		    SMTPD_LOG_INFO,
		    "%" PRIu64 " message%s flushed by the operator", count,
		    count == 1 ? "" : "s");
	smtpd__control_output_format(r->answer, "flushed %" PRIu64 " message%s",
	    count, count == 1 ? "" : "s");
	if (r->message == NULL && held > 0)
		smtpd__control_output_format(r->answer,
		    "; %" PRIu64 " held in all: release first", held);
	smtpd__control_output_add(r->answer, "\n");
	return 0;
}

/* Have the schedule, if there is one, act on each job of the message. */
static void
act_on_jobs(
    const struct smtpd_control_request *r, enum smtpd_control_action action)
{
	struct smtpd_queued_message *message = r->message;

	for (uint32_t i = 0; r->hooks->act != NULL && i < message->njobs; i++)
		r->hooks->act(r->hooks->user, &message->jobs[i], action);
}

/* Whether all that MESSAGE, whose copy is COPY, has left to do is for the
 * address WHERE. */
static bool
goes_only_to_address(const struct smtpd_control_request *r,
    const struct smtpd_queued_message *message,
    const struct smtpd_queued_message *copy, const char *where)
{
	struct smtpd_loaded_message loaded;
	bool only = true;

	if (smtpd__spool_load_envelope(r->spool, message, &loaded) == -1)
		return false;
	for (uint32_t i = 0; i < copy->njobs; i++) {
		const struct smtpd_delivery_job *job = &copy->jobs[i];

		for (uint32_t k = job->first; k < job->first + job->count; k++)
			only = only &&
			    (smtpd__queued_message_is_finished(copy, job, k) ||
				smtpd__text_same(
				    loaded.envelope.rcpts[k].address, where));
	}
	smtpd__loaded_message_finish(&loaded);
	return only;
}

/* Whether all that MESSAGE has left to do is for WHERE, a domain or an
 * address.  Only what is for the domain of that is read from the disk. */
static bool
goes_only_to(const struct smtpd_control_request *r,
    const struct smtpd_queued_message *message, const char *where)
{
	struct smtpd_queued_message *copy =
	    smtpd__spool_copy(r->spool, message);
	const char *at = strrchr(where, '@');
	const char *domain = at != NULL ? at + 1 : where;
	bool only = copy != NULL && (copy->flags & SMTPD_MESSAGE_REMOVED) == 0;

	for (uint32_t i = 0; only && i < copy->njobs; i++)
		only = copy->jobs[i].finished ||
		    smtpd__text_same(
			smtpd__destination_name(copy->jobs[i].destination),
			domain);
	if (only && at != NULL)
		only = goes_only_to_address(r, message, copy, where);
	if (copy != NULL)
		free(copy->finished);
	free(copy);
	return only;
}

/* Make CHANGE, which returns 0 or an errno and was DONE then, to the message of
 * R, or else to each that goes only where the argument says. */
static int
change_each(struct smtpd_control_request *r,
    int (*change)(struct smtpd_control_request *r), const char *done)
{
	struct smtpd_queued_message *message;
	uint64_t id = 0, count = 0;
	bool place = strpbrk(r->argument, ".@") != NULL;
	int error = 0;

	if (r->message != NULL) {
		error = change(r);
		count = 1;
		place = false;
	}
	while (place && error == 0 &&
	    (message = smtpd__spool_next(r->spool, id)) != NULL) {
		id = message->id;
		r->message = message;
		if (goes_only_to(r, message, r->argument)) {
			error = change(r);
			count += error == 0;
			/* One that ended just now needs no change. */
			if (error == ENOENT)
				error = 0;
		}
		r->message = NULL;
		smtpd__spool_unpin(r->spool, message);
	}
	if (error != 0)
		return smtpd__control_request_fail(r, error, NULL, r->argument);
	if (count == 0)
		return smtpd__control_request_fail(r, ENOENT,
		    place ? "no message that goes only there"
			  : "no such message",
		    r->argument);
	smtpd__control_output_format(r->answer, "%s %" PRIu64 " message%s\n",
	    done, count, count == 1 ? "" : "s");
	return 0;
}

static int
hold_message(struct smtpd_control_request *r)
{
	if (smtpd__state_change_hold(r->spool, r->message, r->hold) == -1)
		return errno;
	act_on_jobs(r, r->hold ? SMTPD_CONTROL_WITHDRAW : SMTPD_CONTROL_RESUME);
	log_change(r, r->message, r->hold ? "held" : "released");
	return 0;
}

int
smtpd__control_change_hold(struct smtpd_control_request *r)
{
	return change_each(r, hold_message, r->hold ? "held" : "released");
}

/*
 * The jobs are withdrawn first, so that no worker takes one up before the
 * message is marked as removed; and again afterwards, since a worker may have
 * put one back in between.
 */
static int
remove_message(struct smtpd_control_request *r)
{
	int error;

	act_on_jobs(r, SMTPD_CONTROL_WITHDRAW);
	if (smtpd__state_change_end(r->spool, r->message, NULL) == -1) {
		error = errno;
		act_on_jobs(r, SMTPD_CONTROL_RESUME);
		return error;
	}
	act_on_jobs(r, SMTPD_CONTROL_WITHDRAW);
	log_change(r, r->message, "removed");
	return 0;
}

int
smtpd__control_change_remove(struct smtpd_control_request *r)
{
	return change_each(r, remove_message, "removed");
}
