/* SPDX-License-Identifier: MIT */
#include "queue/control/text.h"

#include <stdlib.h>
#include <string.h>

#include "base/id.h"

/* What of the histories is shown: the newest. */
#define TRAIL_MAX 1048576

/* Room for what the schedule knows of a site. */
#define SITE_MAX 2048

void
smtpd__control_text_head(struct smtpd_control_output *a)
{
	smtpd__control_output_format(a,
	    "%-13s %10s  %-20s  %-8s  %-7s %4s  %s\n", "ID", "SIZE", "ARRIVED",
	    "STATE", "NEXT", "LEFT", "SENDER > RECIPIENT");
}

static void
add_id(struct smtpd_control_output *a, const struct smtpd_control_snapshot *v)
{
	char id[SMTPD_ID_SIZE];

	smtpd__id_write(v->message->id, id);
	smtpd__control_output_add(a, id);
}

/* Fill up with blanks what began at START to WIDTH. */
static void
pad(struct smtpd_control_output *a, uint64_t start, uint64_t width)
{
	while (a->total - start < width)
		smtpd__control_output_add(a, " ");
}

static void
add_shown(struct smtpd_control_output *a, const char *s)
{
	smtpd__control_output_shown(a, s, strlen(s));
}

/* When a job, or the first of them, is tried. */
static void
add_next(struct smtpd_control_output *a, const struct smtpd_control_snapshot *v,
    uint32_t due, int state)
{
	if (state == SMTPD_SNAPSHOT_HELD || due == SMTPD_TIME_NONE)
		smtpd__control_output_add(a, "-");
	else if (due <= v->now)
		smtpd__control_output_add(a, "now");
	else
		smtpd__control_output_span(a, due - v->now);
}

/* The first recipient that is not finished, and how many others. */
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
			add_shown(a, v->loaded.rcpts[r].address);
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
	uint64_t start;

	add_id(a, v);
	smtpd__control_output_format(
	    a, " %10llu  ", (unsigned long long)v->message->size);
	smtpd__control_output_time(a, v->loaded.arrived_ms);
	smtpd__control_output_format(
	    a, "  %-8s  ", smtpd__control_snapshot_word(v->state));
	start = a->total;
	add_next(a, v, v->due, v->state);
	pad(a, start, 7);
	smtpd__control_output_format(a, " %4u  ", v->left);
	if (v->damage != 0) {
		smtpd__control_output_add(a, "(damaged)\n");
		return;
	}
	smtpd__control_output_add(a, "<");
	add_shown(a, v->loaded.sender);
	smtpd__control_output_add(a, "> > ");
	add_first_rcpt(a, v);
	smtpd__control_output_add(a, "\n");
}

void
smtpd__control_text_totals(
    struct smtpd_control_output *a, const struct smtpd_control_text_totals *t)
{
	const char *before = ": ";

	smtpd__control_output_format(a, "%llu message%s, %llu bytes",
	    (unsigned long long)t->messages, t->messages == 1 ? "" : "s",
	    (unsigned long long)t->bytes);
	for (int i = 0; i < SMTPD_SNAPSHOT_DONE; i++) {
		if (t->states[i] == 0)
			continue;
		smtpd__control_output_format(a, "%s%llu %s", before,
		    (unsigned long long)t->states[i],
		    smtpd__control_snapshot_word(i));
		before = ", ";
	}
	smtpd__control_output_add(a, "\n");
}

static void
add_ago(struct smtpd_control_output *a, const struct smtpd_control_snapshot *v)
{
	smtpd__control_output_time(a, v->loaded.arrived_ms);
	if (v->message->arrived > v->now)
		return;
	smtpd__control_output_add(a, " (");
	smtpd__control_output_span(a, v->now - v->message->arrived);
	smtpd__control_output_add(a, " ago)");
}

/* The lines that begin any description. */
static void
add_summary(
    struct smtpd_control_output *a, const struct smtpd_control_snapshot *v)
{
	smtpd__control_output_add(a, "id:        ");
	add_id(a, v);
	smtpd__control_output_format(a,
	    "\nstate:     %s\nsize:      %llu\narrived:   ",
	    smtpd__control_snapshot_word(v->state),
	    (unsigned long long)v->message->size);
	add_ago(a, v);
	if (v->damage != 0) {
		smtpd__control_output_format(
		    a, "\ndamaged:   %s\n", strerror(v->damage));
		return;
	}
	smtpd__control_output_add(a, "\nsender:    <");
	add_shown(a, v->loaded.sender);
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

/* One recipient, and what was said of it. */
static void
add_rcpt(struct smtpd_control_output *a, const struct smtpd_control_snapshot *v,
    const struct smtpd_delivery_job *job, uint32_t r,
    const struct smtpd_rcpt_progress *said)
{
	bool finished = smtpd__queued_message_is_finished(v->copy, job, r);
	char reply[600];

	smtpd__control_output_add(a, "  <");
	add_shown(a, v->loaded.rcpts[r].address);
	smtpd__control_output_format(a, "> %s",
	    smtpd__control_snapshot_word(finished
		    ? SMTPD_SNAPSHOT_DONE
		    : smtpd__control_snapshot_job_state(v, job)));
	if (!finished && job->attempts > 0)
		smtpd__control_output_format(a, ", %u attempt%s", job->attempts,
		    job->attempts == 1 ? "" : "s");
	smtpd__control_output_add(a, "\n");
	if (said == NULL)
		return;
	smtpd__control_text_reply(&said->result, reply, sizeof(reply));
	smtpd__control_output_add(a, "    ");
	if (said->host[0] != '\0') {
		add_shown(a, said->host);
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
		smtpd__control_output_add(a, "none before it is released\n");
		return;
	}
	if (state == SMTPD_SNAPSHOT_DEFERRED) {
		smtpd__control_output_time(
		    a, smtpd__spool_wall_ms(v->spool, job->due));
		smtpd__control_output_add(a, ", in ");
		smtpd__control_output_span(a, job->due - v->now);
	} else {
		smtpd__control_output_add(a,
		    state == SMTPD_SNAPSHOT_ACTIVE
			? "under way"
			: "as soon as it is its turn");
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
	add_optional(a, "ret:       ", v->loaded.ret);
	add_optional(a, "envid:     ", v->loaded.envid);
	for (uint32_t i = 0; i < v->copy->njobs; i++) {
		const struct smtpd_delivery_job *job = &v->copy->jobs[i];

		smtpd__control_output_add(a, "\ndomain:    ");
		add_shown(a, smtpd__control_text_domain(v, job));
		smtpd__control_output_add(a, "\n");
		add_when(a, v, job);
		add_rcpts(a, v, job);
	}
}

/* Each line of LEN bytes at S behind INDENT. */
static void
add_lines(struct smtpd_control_output *a, const char *indent, const char *s,
    size_t len)
{
	while (len > 0) {
		const char *end = memchr(s, '\n', len);
		size_t n = end != NULL ? (size_t)(end - s) : len;

		smtpd__control_output_add(a, indent);
		smtpd__control_output_shown(a, s, n);
		smtpd__control_output_add(a, "\n");
		n += end != NULL;
		s += n;
		len -= n;
	}
}

static void
add_history(struct smtpd_control_output *a,
    const struct smtpd_control_snapshot *v,
    const struct smtpd_delivery_job *job)
{
	size_t len;
	char *history = smtpd__control_text_history(v, job, &len);

	if (len == 0)
		smtpd__control_output_add(a, "tried:     never\n");
	else
		smtpd__control_output_format(a, "tried:     %u time%s\n",
		    job->attempts, job->attempts == 1 ? "" : "s");
	add_lines(a, "  ", history, len);
	free(history);
}

void
smtpd__control_text_why(
    struct smtpd_control_output *a, const struct smtpd_control_snapshot *v)
{
	char site[SITE_MAX];
	struct smtpd_text text;

	add_summary(a, v);
	for (uint32_t i = 0; i < v->copy->njobs && v->damage == 0; i++) {
		const struct smtpd_delivery_job *job = &v->copy->jobs[i];

		smtpd__control_output_add(a, "\ndomain:    ");
		add_shown(a, smtpd__control_text_domain(v, job));
		smtpd__control_output_add(a, "\n");
		smtpd__text_init(&text, site, sizeof(site));
		if (v->hooks->explain != NULL)
			v->hooks->explain(v->hooks->user,
			    smtpd__control_snapshot_original(v, job), &text);
		add_lines(a, "site:      ", text.at, text.len);
		add_when(a, v, job);
		add_rcpts(a, v, job);
		add_history(a, v, job);
	}
}

struct history {
	char *at;
	size_t len, size;
};

/* Keep what comes, the oldest half forgotten when it is too much. */
static int
keep_history(void *user, const void *data, size_t len)
{
	struct history *t = user;

	if (t->len + len > TRAIL_MAX) {
		size_t half = t->len / 2;

		memmove(t->at, t->at + half, t->len - half);
		t->len -= half;
	}
	if (t->len + len > t->size) {
		size_t size = (t->len + len) * 2;
		char *more = realloc(t->at, size);

		if (more == NULL)
			return -1;
		t->at = more;
		t->size = size;
	}
	memcpy(t->at + t->len, data, len);
	t->len += len;
	return 0;
}

char *
smtpd__control_text_history(const struct smtpd_control_snapshot *v,
    const struct smtpd_delivery_job *job, size_t *len)
{
	struct history t = { .len = 0 };

	/* What could be read of it is better than nothing. */
	smtpd__spool_history(v->spool, smtpd__control_snapshot_original(v, job),
	    keep_history, &t);
	*len = t.len;
	return t.at;
}

const char *
smtpd__control_text_domain(const struct smtpd_control_snapshot *v,
    const struct smtpd_delivery_job *job)
{
	const char *at;

	if (v->damage != 0 || job->first >= v->loaded.nrcpts)
		return "";
	at = strrchr(v->loaded.rcpts[job->first].address, '@');
	return at != NULL ? at + 1 : "";
}

void
smtpd__control_text_reply(
    const struct smtpd_result *result, char *out, size_t size)
{
	struct smtpd_text t;

	smtpd__text_init(&t, out, size);
	if (result->code != 0)
		smtpd__text_format(&t, "%d ", result->code);
	smtpd__text_add(&t, result->status);
	if (result->status[0] != '\0' && result->text[0] != '\0')
		smtpd__text_byte(&t, ' ');
	smtpd__text_add(&t, result->text);
}

void
smtpd__control_text_reason(
    const struct smtpd_control_snapshot *v, char *out, size_t size)
{
	struct smtpd_text t;

	smtpd__text_init(&t, out, size);
	if (v->damage != 0)
		smtpd__text_add(&t, strerror(v->damage));
	for (uint32_t i = 0; i < v->copy->njobs && t.len == 0; i++) {
		const struct smtpd_delivery_job *job = &v->copy->jobs[i];
		struct smtpd_rcpt_progress *results;
		size_t count;

		if (job->finished)
			continue;
		results = smtpd__control_snapshot_results(v, job, &count);
		for (size_t r = 0; r < count && t.len == 0; r++)
			if (!results[r].finished)
				smtpd__control_text_reply(
				    &results[r].result, out, size);
		t.len = strlen(out);
		free(results);
	}
}
