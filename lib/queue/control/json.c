/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "grammar/received.h"
#include "queue/control/text.h"

/* Room for a reason, and for what the schedule knows of a site. */
#define REASON_MAX 600
#define SITE_MAX   2048

static void
add_text(struct smtpd_answer *a, const char *name, const char *value)
{
	smtpd_answer_format(a, ",\"%s\":", name);
	smtpd_answer_json(a, value);
}

/* The moment WHEN of the queue's clock. */
static void
add_due(struct smtpd_answer *a, const struct smtpd_view *v, uint32_t when,
    enum smtpd_view_state state)
{
	smtpd_answer_add(a, ",\"next\":");
	if (state >= SMTPD_VIEW_HELD || when == SMTPD_TIME_NONE) {
		smtpd_answer_add(a, "null");
		return;
	}
	smtpd_answer_add(a, "\"");
	smtpd_answer_time(a, smtpd_spool_wall_ms(v->spool, when));
	smtpd_answer_add(a, "\"");
}

/* What both objects begin with. */
static void
add_summary(struct smtpd_answer *a, const struct smtpd_view *v)
{
	char id[SMTPD_ID_MAX], reason[REASON_MAX];

	smtpd_trace_id(v->message->id, id);
	smtpd_answer_add(a, "{\"id\":");
	smtpd_answer_json(a, id);
	add_text(a, "sender", v->loaded.sender);
	smtpd_answer_format(a, ",\"size\":%llu,\"arrived\":\"",
	    (unsigned long long)v->message->size);
	smtpd_answer_time(a, v->loaded.arrived_ms);
	smtpd_answer_add(a, "\"");
	add_text(a, "state", smtpd_view_word(v->state));
	add_due(a, v, v->due, v->state);
	smtpd_describe_reason(v, reason, sizeof(reason));
	add_text(a, "reason", reason[0] != '\0' ? reason : NULL);
}

/* What became of a finished recipient, if its last attempt tells. */
static const char *
end_word(const struct smtpd_rcpt_progress *said)
{
	if (said == NULL || !said->finished)
		return smtpd_view_word(SMTPD_VIEW_DONE);
	return said->result.outcome == SMTPD_SENT ? "sent" : "failed";
}

static void
add_rcpt(struct smtpd_answer *a, const struct smtpd_view *v,
    const struct smtpd_delivery_job *job, uint32_t r,
    const struct smtpd_rcpt_progress *said)
{
	bool finished = smtpd_queued_message_is_finished(v->copy, job, r);
	enum smtpd_view_state state =
	    finished ? SMTPD_VIEW_DONE : smtpd_view_job_state(v, job);
	char reply[REASON_MAX] = "";

	if (said != NULL)
		smtpd_describe_reply(&said->result, reply, sizeof(reply));
	smtpd_answer_add(a, "{\"address\":");
	smtpd_answer_json(a, v->loaded.rcpts[r].address);
	add_text(
	    a, "state", finished ? end_word(said) : smtpd_view_word(state));
	smtpd_answer_format(a, ",\"attempts\":%u", job->attempts);
	add_due(a, v, job->due, state);
	add_text(a, "status", said != NULL ? said->result.status : NULL);
	add_text(a, "reply", said != NULL ? reply : NULL);
	add_text(a, "host",
	    said != NULL && said->host[0] != '\0' ? said->host : NULL);
	smtpd_answer_add(a, "}");
}

static void
add_rcpts(struct smtpd_answer *a, const struct smtpd_view *v,
    const struct smtpd_delivery_job *job, const char **before)
{
	size_t count;
	struct smtpd_rcpt_progress *results =
	    smtpd_view_results(v, job, &count);

	for (uint32_t r = job->first; r < job->first + job->count; r++) {
		smtpd_answer_add(a, *before);
		add_rcpt(a, v, job, r, smtpd_view_result(results, count, r));
		*before = ",";
	}
	free(results);
}

void
smtpd_describe_json(struct smtpd_answer *a, const struct smtpd_view *v)
{
	const char *before = "";

	add_summary(a, v);
	add_text(a, "ret", v->loaded.ret);
	add_text(a, "envid", v->loaded.envid);
	smtpd_answer_add(a, ",\"recipients\":[");
	for (uint32_t i = 0; i < v->copy->njobs && v->damage == 0; i++)
		add_rcpts(a, v, &v->copy->jobs[i], &before);
	smtpd_answer_add(a, "]}\n");
}

/* An array of the lines of LEN bytes at S. */
static void
add_lines(struct smtpd_answer *a, const char *name, const char *s, size_t len)
{
	const char *before = "";

	smtpd_answer_format(a, ",\"%s\":[", name);
	while (len > 0) {
		const char *end = memchr(s, '\n', len);
		size_t n = end != NULL ? (size_t)(end - s) : len;

		smtpd_answer_add(a, before);
		smtpd_answer_json_bytes(a, s, n);
		before = ",";
		n += end != NULL;
		s += n;
		len -= n;
	}
	smtpd_answer_add(a, "]");
}

static void
add_destination(struct smtpd_answer *a, const struct smtpd_view *v,
    const struct smtpd_delivery_job *job)
{
	enum smtpd_view_state state = smtpd_view_job_state(v, job);
	const char *before = "";
	char site[SITE_MAX];
	struct smtpd_text text;
	size_t len;
	char *history = smtpd_control_text_history(v, job, &len);

	smtpd_answer_add(a, "{\"domain\":");
	smtpd_answer_json(a, smtpd_describe_domain(v, job));
	add_text(a, "state", smtpd_view_word(state));
	smtpd_answer_format(a, ",\"attempts\":%u", job->attempts);
	add_due(a, v, job->due, state);
	smtpd_text_init(&text, site, sizeof(site));
	if (v->hooks->explain != NULL)
		v->hooks->explain(
		    v->hooks->user, smtpd_view_original(v, job), &text);
	add_lines(a, "site", text.at, text.len);
	add_lines(a, "history", history, len);
	smtpd_answer_add(a, ",\"recipients\":[");
	add_rcpts(a, v, job, &before);
	smtpd_answer_add(a, "]}");
	free(history);
}

void
smtpd_describe_why_json(struct smtpd_answer *a, const struct smtpd_view *v)
{
	add_summary(a, v);
	smtpd_answer_add(a, ",\"destinations\":[");
	for (uint32_t i = 0; i < v->copy->njobs && v->damage == 0; i++) {
		if (i > 0)
			smtpd_answer_add(a, ",");
		add_destination(a, v, &v->copy->jobs[i]);
	}
	smtpd_answer_add(a, "]}\n");
}
