/* SPDX-License-Identifier: MIT */
#include "queue/control/text.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/id.h"

/* The columns that the time of the next attempt takes in a list. */
#define NEXT_WIDTH 7

void
smtpd__control_text_head(struct smtpd_control_output *a)
{
	smtpd__control_output_format(a,
	    "%-13s %10s  %-20s  %-8s  %-7s %4s  %s\n", "ID", "SIZE", "ARRIVED",
	    "STATE", "NEXT", "LEFT", "SENDER > RECIPIENT");
}

static void
add_shown(struct smtpd_control_output *a, const char *s)
{
	smtpd__control_output_shown(a, s, strlen(s));
}

/* Write the first recipient that is not finished, and how many others there
 * are. */
static void
add_first_rcpt(
    struct smtpd_control_output *a, const struct smtpd_control_snapshot *v)
{
	for (uint32_t i = 0; i < v->copy->njobs; i++) {
		const struct smtpd_delivery_job *job = &v->copy->jobs[i];

		for (uint32_t r = job->first; r < job->first + job->count;
		    r++) {
			if (smtpd__queued_message_is_finished(v->copy, job, r))
				continue;
			add_shown(a, v->loaded.envelope.rcpts[r].address);
			if (v->left > 1)
				smtpd__control_output_format(
				    a, " (+%u)", v->left - 1);
			return;
		}
	}
}

void
smtpd__control_text_line(
    struct smtpd_control_output *a, const struct smtpd_control_snapshot *v)
{
	char id[SMTPD_ID_SIZE], reason[SMTPD_SNAPSHOT_REPLY_SIZE];
	struct smtpd_text text;
	uint64_t start;

	smtpd__id_write(v->message->id, id);
	smtpd__control_output_format(
	    a, "%s %10" PRIu64 "  ", id, v->message->size);
	smtpd__control_output_time(a, v->loaded.arrived_ms);
	smtpd__control_output_format(
	    a, "  %-8s  ", smtpd__control_snapshot_word(v->state));
	start = a->total;
	if (v->state == SMTPD_SNAPSHOT_HELD || v->due == SMTPD_TIME_NONE)
		smtpd__control_output_add(a, "-");
	else if (v->due <= v->now)
		smtpd__control_output_add(a, "now");
	else
		smtpd__control_output_span(a, v->due - v->now);
	while (a->total < start + NEXT_WIDTH)
		smtpd__control_output_add(a, " ");
	smtpd__control_output_format(a, " %4u  ", v->left);
	if (v->damage != 0) {
		smtpd__control_output_format(a, "(%s)\n",
		    v->damage == EBADMSG      ? "damaged"
			: v->damage == EACCES ? "its file in large/ belongs to "
						"another user: chown it"
					      : strerror(v->damage));
		return;
	}
	smtpd__control_output_add(a, "<");
	add_shown(a, v->loaded.envelope.sender);
	smtpd__control_output_add(a, "> > ");
	add_first_rcpt(a, v);
	smtpd__control_output_add(a, "\n");
	smtpd__text_init(&text, reason, sizeof(reason));
	smtpd__control_snapshot_reason(v, &text);
	if (text.len > 0) {
		smtpd__control_output_add(a, "              reason: ");
		add_shown(a, reason);
		smtpd__control_output_add(a, "\n");
	}
}

void
smtpd__control_text_totals(
    struct smtpd_control_output *a, const struct smtpd_control_text_totals *t)
{
	const char *before = ": ";

	smtpd__control_output_format(a,
	    "%" PRIu64 " message%s, %" PRIu64 " bytes", t->messages,
	    t->messages == 1 ? "" : "s", t->bytes);
	for (int i = 0; i < SMTPD_SNAPSHOT_DONE; i++) {
		if (t->states[i] == 0)
			continue;
		smtpd__control_output_format(a, "%s%" PRIu64 " %s", before,
		    t->states[i], smtpd__control_snapshot_word(i));
		before = ", ";
	}
	if (t->dead > 0)
		smtpd__control_output_format(a,
		    "; %" PRIu64 " report%s that nobody took in dead/", t->dead,
		    t->dead == 1 ? "" : "s");
	if (t->quarantine > 0)
		smtpd__control_output_format(a,
		    "; %" PRIu64 " damaged file%s in quarantine/",
		    t->quarantine, t->quarantine == 1 ? "" : "s");
	smtpd__control_output_add(a, "\n");
}

/* Write the lines that begin any description. */
static void
add_summary(
    struct smtpd_control_output *a, const struct smtpd_control_snapshot *v)
{
	char id[SMTPD_ID_SIZE];

	smtpd__id_write(v->message->id, id);
	smtpd__control_output_format(a,
	    "id:        %s\nstate:     %s\nsize:      %" PRIu64 "\narrived:   ",
	    id, smtpd__control_snapshot_word(v->state), v->message->size);
	smtpd__control_output_time(a, v->loaded.arrived_ms);
	if (v->message->arrived <= v->now) {
		smtpd__control_output_add(a, " (");
		smtpd__control_output_span(a, v->now - v->message->arrived);
		smtpd__control_output_add(a, " ago)");
	}
	if (v->damage != 0) {
		smtpd__control_output_format(
		    a, "\ndamaged:   %s\n", strerror(v->damage));
		return;
	}
	smtpd__control_output_add(a, "\nsender:    <");
	add_shown(a, v->loaded.envelope.sender);
	smtpd__control_output_add(a, ">\n");
}

static void
add_optional(
    struct smtpd_control_output *a, const char *label, const char *value)
{
	if (value == NULL)
		return;
	smtpd__control_output_add(a, label);
	add_shown(a, value);
	smtpd__control_output_add(a, "\n");
}

/* Write one recipient, and the last result for it. */
static void
add_rcpt(struct smtpd_control_output *a, const struct smtpd_control_snapshot *v,
    const struct smtpd_delivery_job *job, uint32_t r,
    const struct smtpd_rcpt_progress *last)
{
	bool finished = smtpd__queued_message_is_finished(v->copy, job, r);
	char reply[SMTPD_SNAPSHOT_REPLY_SIZE];
	struct smtpd_text text;

	smtpd__control_output_add(a, "  <");
	add_shown(a, v->loaded.envelope.rcpts[r].address);
	smtpd__control_output_format(a, "> %s",
	    smtpd__control_snapshot_word(finished
		    ? SMTPD_SNAPSHOT_DONE
		    : smtpd__control_snapshot_job_state(v, job)));
	if (!finished && job->attempts > 0)
		smtpd__control_output_format(a, ", %u attempt%s", job->attempts,
		    job->attempts == 1 ? "" : "s");
	smtpd__control_output_add(a, "\n");
	if (last == NULL)
		return;
	smtpd__text_init(&text, reply, sizeof(reply));
	smtpd__control_snapshot_reply(&last->result, &text);
	smtpd__control_output_add(a, "    ");
	if (last->host[0] != '\0') {
		add_shown(a, last->host);
		smtpd__control_output_add(a, ": ");
	}
	add_shown(a, reply);
	smtpd__control_output_add(a, "\n");
}

static void
add_rcpts(struct smtpd_control_output *a,
    const struct smtpd_control_snapshot *v,
    const struct smtpd_delivery_job *job)
{
	size_t count;
	struct smtpd_rcpt_progress *results =
	    smtpd__control_snapshot_results(v, job, &count);

	for (uint32_t r = job->first; r < job->first + job->count; r++)
		add_rcpt(a, v, job, r,
		    smtpd__control_snapshot_result(results, count, r));
	free(results);
}

static void
add_when(struct smtpd_control_output *a, const struct smtpd_control_snapshot *v,
    const struct smtpd_delivery_job *job)
{
	enum smtpd_snapshot_state state =
	    smtpd__control_snapshot_job_state(v, job);

	if (state == SMTPD_SNAPSHOT_DONE)
		return;
	smtpd__control_output_add(a, "next try:  ");
	if (state == SMTPD_SNAPSHOT_HELD) {
		smtpd__control_output_add(a, "not before it is released\n");
		return;
	}
	if (state == SMTPD_SNAPSHOT_DEFERRED) {
		smtpd__control_output_time(
		    a, smtpd__spool_clock_wall_ms(v->spool, job->due));
		smtpd__control_output_add(a, ", in ");
		smtpd__control_output_span(a, job->due - v->now);
	} else {
		smtpd__control_output_add(a,
		    state == SMTPD_SNAPSHOT_ACTIVE ? "in progress"
						   : "when its turn comes");
	}
	smtpd__control_output_add(a, "\n");
}

void
smtpd__control_text_message(
    struct smtpd_control_output *a, const struct smtpd_control_snapshot *v)
{
	add_summary(a, v);
	if (v->damage != 0)
		return;
	add_optional(a, "ret:       ", v->loaded.envelope.ret);
	add_optional(a, "envid:     ", v->loaded.envelope.envid);
	for (uint32_t i = 0; i < v->copy->njobs; i++) {
		const struct smtpd_delivery_job *job = &v->copy->jobs[i];

		smtpd__control_output_add(a, "\ndomain:    ");
		add_shown(a, smtpd__control_snapshot_domain(v, job));
		smtpd__control_output_add(a, "\n");
		add_when(a, v, job);
		add_rcpts(a, v, job);
	}
}

/* Write what the schedule knows of the site, if one runs. */
static void
add_site(struct smtpd_control_output *a, const struct smtpd_control_snapshot *v,
    const struct smtpd_delivery_job *job)
{
	struct smtpd_control_site site;

	if (!smtpd__control_snapshot_site(v, job, &site))
		return;
	smtpd__control_output_add(a, "site:      ");
	add_shown(a, site.name);
	smtpd__control_output_format(
	    a, ": %u of %u connections", site.connections, site.limit);
	if (site.resumes_at > v->now) {
		smtpd__control_output_format(a,
		    ", suspended for %u s more after %u failure%s",
		    site.resumes_at - v->now, site.failures,
		    site.failures == 1 ? "" : "s");
		if (site.why[0] != '\0')
			smtpd__control_output_add(a, ": ");
		add_shown(a, site.why);
	}
	smtpd__control_output_add(a, "\n");
}

void
smtpd__control_text_why(
    struct smtpd_control_output *a, const struct smtpd_control_snapshot *v)
{
	add_summary(a, v);
	for (uint32_t i = 0; i < v->copy->njobs && v->damage == 0; i++) {
		const struct smtpd_delivery_job *job = &v->copy->jobs[i];
		char *history;
		size_t len;

		smtpd__control_output_add(a, "\ndomain:    ");
		add_shown(a, smtpd__control_snapshot_domain(v, job));
		smtpd__control_output_add(a, "\n");
		add_site(a, v, job);
		add_when(a, v, job);
		add_rcpts(a, v, job);
		history = smtpd__control_snapshot_history(v, job, &len);
		if (len == 0)
			smtpd__control_output_add(a,
			    job->state == SMTPD_JOB_ACTIVE
				? "tried:     now, for the first time\n"
				: "tried:     never\n");
		else
			smtpd__control_output_format(a,
			    "tried:     %u time%s\n", job->attempts,
			    job->attempts == 1 ? "" : "s");
		smtpd__control_output_lines(a, "  ", history, len);
		free(history);
	}
}
