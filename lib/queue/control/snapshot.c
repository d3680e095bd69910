/* SPDX-License-Identifier: MIT */
#include "queue/control/snapshot.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/pack.h"

/* The most of a history that is shown: the newest. */
#define HISTORY_MAX 1048576

const char *
smtpd__control_snapshot_word(enum smtpd_snapshot_state state)
{
	static const char *const words[SMTPD_SNAPSHOT_STATES] = { "active",
		"ready", "deferred", "held", "done" };

	return words[state];
}

/* The delivery of which JOB is a copy. */
static const struct smtpd_delivery_job *
original_job(const struct smtpd_control_snapshot *v,
    const struct smtpd_delivery_job *job)
{
	return &v->message->jobs[job - v->copy->jobs];
}

enum smtpd_snapshot_state
smtpd__control_snapshot_job_state(const struct smtpd_control_snapshot *v,
    const struct smtpd_delivery_job *job)
{
	if (job->finished)
		return SMTPD_SNAPSHOT_DONE;
	if (job->state == SMTPD_JOB_ACTIVE)
		return SMTPD_SNAPSHOT_ACTIVE;
	if ((v->copy->flags & SMTPD_MESSAGE_HELD) != 0)
		return SMTPD_SNAPSHOT_HELD;
	return job->due > v->now ? SMTPD_SNAPSHOT_DEFERRED
				 : SMTPD_SNAPSHOT_READY;
}

/* Set in the copy what only the schedule knows; without one, nothing else
 * changes the due times.  The state of the message is that of the liveliest of
 * its jobs. */
static void
inspect_jobs(struct smtpd_control_snapshot *v)
{
	const struct smtpd_control_hooks *hooks = v->hooks;

	v->state = SMTPD_SNAPSHOT_DONE;
	v->due = SMTPD_TIME_NONE;
	for (uint32_t i = 0; i < v->copy->njobs; i++) {
		struct smtpd_delivery_job *job = &v->copy->jobs[i];
		enum smtpd_snapshot_state state;

		if (hooks->inspect != NULL)
			hooks->inspect(hooks->user, &v->message->jobs[i], job);
		else
			job->due = v->message->jobs[i].due;
		if (job->state == SMTPD_JOB_ACTIVE)
			job->due = v->now;
		state = smtpd__control_snapshot_job_state(v, job);
		if (state == SMTPD_SNAPSHOT_DONE)
			continue;
		for (uint32_t r = 0; r < job->count; r++)
			v->left += !smtpd__queued_message_is_finished(
			    v->copy, job, job->first + r);
		if (state < v->state)
			v->state = state;
		if (job->due < v->due)
			v->due = job->due;
	}
}

int
smtpd__control_snapshot_init(struct smtpd_control_snapshot *v,
    struct smtpd_spool *s, const struct smtpd_control_hooks *hooks,
    const struct smtpd_queued_message *message, bool whole)
{
	*v = (struct smtpd_control_snapshot){ .spool = s,
		.hooks = hooks,
		.message = message,
		.loaded = { .id = message->id } };
	v->copy = smtpd__spool_copy(s, message);
	if (v->copy == NULL)
		return -1;
	v->now = smtpd__spool_clock_now(s);
	inspect_jobs(v);
	if ((whole ? smtpd__spool_load(s, message, &v->loaded)
		   : smtpd__spool_load_envelope(s, message, &v->loaded)) == 0)
		return 0;
	v->damage = errno;
	v->loaded = (struct smtpd_loaded_message){ .id = message->id,
		.arrived_ms = smtpd__spool_clock_wall_ms(s, message->arrived) };
	return 0;
}

void
smtpd__control_snapshot_finish(struct smtpd_control_snapshot *v)
{
	if (v->loaded.envelope.sender != NULL)
		smtpd__loaded_message_finish(&v->loaded);
	if (v->copy != NULL)
		free(v->copy->finished);
	free(v->copy);
}

struct smtpd_rcpt_progress *
smtpd__control_snapshot_results(const struct smtpd_control_snapshot *v,
    const struct smtpd_delivery_job *job, size_t *count)
{
	struct smtpd_rcpt_progress *results = NULL;

	*count = 0;
	if (smtpd__spool_history_results(
		v->spool, original_job(v, job), &results, count) == 0)
		return results;
	*count = 0;
	return NULL;
}

const struct smtpd_rcpt_progress *
smtpd__control_snapshot_result(
    const struct smtpd_rcpt_progress *results, size_t count, uint32_t rcpt)
{
	for (size_t i = 0; i < count; i++)
		if (results[i].rcpt == rcpt)
			return &results[i];
	return NULL;
}

/* Keep DATA; the oldest half is dropped when there is too much. */
static int
keep_history(void *user, const void *data, size_t len)
{
	struct smtpd_pack *history = user;

	if (history->len + len > HISTORY_MAX) {
		size_t half = history->len / 2;

		memmove(
		    history->data, history->data + half, history->len - half);
		history->len -= half;
	}
	smtpd__pack_bytes(history, data, len);
	return history->failed ? -1 : 0;
}

char *
smtpd__control_snapshot_history(const struct smtpd_control_snapshot *v,
    const struct smtpd_delivery_job *job, size_t *len)
{
	struct smtpd_pack history = { 0 };

	/* What could be read of it is better than nothing. */
	smtpd__spool_history(
	    v->spool, original_job(v, job), keep_history, &history);
	*len = history.len;
	return (char *)history.data;
}

bool
smtpd__control_snapshot_site(const struct smtpd_control_snapshot *v,
    const struct smtpd_delivery_job *job, struct smtpd_control_site *out)
{
	if (v->hooks->site == NULL)
		return false;
	v->hooks->site(v->hooks->user, original_job(v, job), out);
	return true;
}

const char *
smtpd__control_snapshot_domain(const struct smtpd_control_snapshot *v,
    const struct smtpd_delivery_job *job)
{
	const char *at;

	if (v->damage != 0 || job->first >= v->loaded.envelope.nrcpts)
		return "";
	at = strrchr(v->loaded.envelope.rcpts[job->first].address, '@');
	return at != NULL ? at + 1 : "";
}

void
smtpd__control_snapshot_reply(
    const struct smtpd_result *result, struct smtpd_text *text)
{
	/* The host's words as it said them, or ours with our status. */
	if (result->code != 0)
		smtpd__text_format(text, "%d", result->code);
	else
		smtpd__text_add(text, result->status);
	if (text->len > 0 && result->text[0] != '\0')
		smtpd__text_byte(text, ' ');
	smtpd__text_add(text, result->text);
}

void
smtpd__control_snapshot_reason(
    const struct smtpd_control_snapshot *v, struct smtpd_text *text)
{
	if (v->damage != 0)
		smtpd__text_add(text, strerror(v->damage));
	for (uint32_t i = 0; i < v->copy->njobs && text->len == 0; i++) {
		const struct smtpd_delivery_job *job = &v->copy->jobs[i];
		struct smtpd_rcpt_progress *results;
		size_t count;

		if (job->finished)
			continue;
		results = smtpd__control_snapshot_results(v, job, &count);
		for (size_t r = 0; r < count && text->len == 0; r++)
			if (!results[r].finished)
				smtpd__control_snapshot_reply(
				    &results[r].result, text);
		free(results);
	}
}
