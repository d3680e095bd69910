/* SPDX-License-Identifier: MIT */
#include "queue/control/json.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/id.h"
#include "queue/control/history.h"

static void
add_text(struct smtpd_control_output *a, const char *name, const char *value)
{
	smtpd__control_output_format(a, ",\"%s\":", name);
	smtpd__control_output_json(a, value);
}

/* Write the moment WHEN of the queue's clock, NONE as null. */
static void
add_time(struct smtpd_control_output *a, const struct smtpd_control_snapshot *v,
    const char *name, uint32_t when)
{
	smtpd__control_output_format(a, ",\"%s\":", name);
	if (when == SMTPD_TIME_NONE) {
		smtpd__control_output_add(a, "null");
		return;
	}
	smtpd__control_output_add(a, "\"");
	smtpd__control_output_time(
	    a, smtpd__spool_clock_wall_ms(v->spool, when));
	smtpd__control_output_add(a, "\"");
}

/* Write the moment WHEN as the next attempt. */
static void
add_due(struct smtpd_control_output *a, const struct smtpd_control_snapshot *v,
    uint32_t when, enum smtpd_snapshot_state state)
{
	add_time(
	    a, v, "next", state < SMTPD_SNAPSHOT_HELD ? when : SMTPD_TIME_NONE);
}

/* Write the members that both objects begin with. */
static void
add_summary(
    struct smtpd_control_output *a, const struct smtpd_control_snapshot *v)
{
	char id[SMTPD_ID_SIZE], reason[SMTPD_SNAPSHOT_REPLY_SIZE];
	struct smtpd_text text;

	smtpd__id_write(v->message->id, id);
	smtpd__control_output_add(a, "{\"id\":");
	smtpd__control_output_json(a, id);
	add_text(a, "sender", v->loaded.envelope.sender);
	smtpd__control_output_format(
	    a, ",\"size\":%" PRIu64 ",\"arrived\":\"", v->message->size);
	smtpd__control_output_time(a, v->loaded.arrived_ms);
	smtpd__control_output_add(a, "\"");
	add_text(a, "state", smtpd__control_snapshot_word(v->state));
	add_due(a, v, v->due, v->state);
	smtpd__text_init(&text, reason, sizeof(reason));
	smtpd__control_snapshot_reason(v, &text);
	add_text(a, "reason", reason[0] != '\0' ? reason : NULL);
}

static void
add_rcpt(struct smtpd_control_output *a, const struct smtpd_control_snapshot *v,
    const struct smtpd_delivery_job *job, uint32_t r,
    const struct smtpd_rcpt_progress *last)
{
	bool finished = smtpd__queued_message_is_finished(v->copy, job, r);
	enum smtpd_snapshot_state state = finished
	    ? SMTPD_SNAPSHOT_DONE
	    : smtpd__control_snapshot_job_state(v, job);
	const char *word = smtpd__control_snapshot_word(state);
	char reply[SMTPD_SNAPSHOT_REPLY_SIZE];
	struct smtpd_text text;

	if (finished && last != NULL && last->finished)
		word = last->result.outcome == SMTPD_OUTCOME_SENT ? "sent"
								  : "failed";
	smtpd__text_init(&text, reply, sizeof(reply));
	if (last != NULL)
		smtpd__control_snapshot_reply(&last->result, &text);
	smtpd__control_output_add(a, "{\"address\":");
	smtpd__control_output_json(a, v->loaded.envelope.rcpts[r].address);
	add_text(a, "notify", v->loaded.envelope.rcpts[r].notify);
	add_text(a, "orcpt", v->loaded.envelope.rcpts[r].orcpt);
	add_text(a, "state", word);
	smtpd__control_output_format(a, ",\"attempts\":%u", job->attempts);
	add_due(a, v, job->due, state);
	smtpd__control_history_reply(a, last != NULL ? reply : NULL, text.len,
	    last != NULL ? last->result.status : NULL);
	add_text(a, "host",
	    last != NULL && last->host[0] != '\0' ? last->host : NULL);
	smtpd__control_output_add(a, "}");
}

static void
add_rcpts(struct smtpd_control_output *a,
    const struct smtpd_control_snapshot *v,
    const struct smtpd_delivery_job *job, const char **before)
{
	size_t count;
	struct smtpd_rcpt_progress *results =
	    smtpd__control_snapshot_results(v, job, &count);

	for (uint32_t r = job->first; r < job->first + job->count; r++) {
		smtpd__control_output_add(a, *before);
		add_rcpt(a, v, job, r,
		    smtpd__control_snapshot_result(results, count, r));
		*before = ",";
	}
	free(results);
}

void
smtpd__control_json_message(
    struct smtpd_control_output *a, const struct smtpd_control_snapshot *v)
{
	const char *before = "";

	add_summary(a, v);
	add_text(a, "ret", v->loaded.envelope.ret);
	add_text(a, "envid", v->loaded.envelope.envid);
	smtpd__control_output_add(a, ",\"recipients\":[");
	for (uint32_t i = 0; i < v->copy->njobs && v->damage == 0; i++)
		add_rcpts(a, v, &v->copy->jobs[i], &before);
	smtpd__control_output_add(a, "]}\n");
}

/* Write what the schedule knows of the site, or null. */
static void
add_site(struct smtpd_control_output *a, const struct smtpd_control_snapshot *v,
    const struct smtpd_delivery_job *job)
{
	struct smtpd_control_site site;

	smtpd__control_output_add(a, ",\"site\":");
	if (!smtpd__control_snapshot_site(v, job, &site)) {
		smtpd__control_output_add(a, "null");
		return;
	}
	smtpd__control_output_add(a, "{\"name\":");
	smtpd__control_output_json(a, site.name);
	smtpd__control_output_format(a,
	    ",\"connections\":%u,\"limit\":%u,\"failures\":%u",
	    site.connections, site.limit, site.failures);
	add_time(a, v, "suspended_until",
	    site.resumes_at > v->now ? site.resumes_at : SMTPD_TIME_NONE);
	add_text(a, "reason", site.why[0] != '\0' ? site.why : NULL);
	smtpd__control_output_add(a, "}");
}

static void
add_destination(struct smtpd_control_output *a,
    const struct smtpd_control_snapshot *v,
    const struct smtpd_delivery_job *job)
{
	enum smtpd_snapshot_state state =
	    smtpd__control_snapshot_job_state(v, job);
	const char *before = "";
	size_t len;
	char *history = smtpd__control_snapshot_history(v, job, &len);

	smtpd__control_output_add(a, "{\"domain\":");
	smtpd__control_output_json(a, smtpd__control_snapshot_domain(v, job));
	add_text(a, "state", smtpd__control_snapshot_word(state));
	smtpd__control_output_format(a, ",\"attempts\":%u", job->attempts);
	add_due(a, v, job->due, state);
	add_site(a, v, job);
	smtpd__control_output_add(a, ",\"history\":");
	smtpd__control_history_json(a, history, len);
	smtpd__control_output_add(a, ",\"recipients\":[");
	add_rcpts(a, v, job, &before);
	smtpd__control_output_add(a, "]}");
	free(history);
}

void
smtpd__control_json_why(
    struct smtpd_control_output *a, const struct smtpd_control_snapshot *v)
{
	add_summary(a, v);
	smtpd__control_output_add(a, ",\"destinations\":[");
	for (uint32_t i = 0; i < v->copy->njobs && v->damage == 0; i++) {
		if (i > 0)
			smtpd__control_output_add(a, ",");
		add_destination(a, v, &v->copy->jobs[i]);
	}
	smtpd__control_output_add(a, "]}\n");
}
