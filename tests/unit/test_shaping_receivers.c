/* SPDX-License-Identifier: MIT */

/* The schedule against receivers that take messages at a rate only: how many
 * attempts it takes to get all mail there, and when the rate is found.  Time is
 * virtual, so hours pass in no time. */

#include <stdbool.h>
#include <stdio.h>

#include "queue/schedule/state.h"
#include "schedule_fixture.h"

#include "test.h"

#define SITE "mx.example"

/* Connections that the site may have, and messages that one carries in a
 * second. */
#define CONNECTIONS 10
#define EACH        20

/* A receiver takes COUNT messages in each window of SECONDS; or, with a burst,
 * as many at once, and COUNT more in SECONDS. */
struct receiver {
	const char *name;
	uint32_t count, seconds, burst;
	enum smtpd_throttle says;
	uint32_t messages; /* that there are for it */
	double found_s;    /* its rate is, so long after the first refusal */
};

static double
rate_of(const struct receiver *r)
{
	return (double)r->count / r->seconds;
}

struct connection {
	struct smtpd_delivery_job *job;
	struct smtpd_site *site; /* NULL: there is none */
};

struct run {
	struct world w;
	const struct receiver *receiver;
	uint32_t window, taken; /* messages of the present window */
	double tokens;          /* or left of the burst */
	uint32_t filled;
	struct connection connections[CONNECTIONS];
	uint32_t attempts, sent;
	uint32_t most_at;    /* nine tenths were sent by then */
	uint32_t refused_at; /* the first time */
	uint32_t found_at;   /* the rate has been about right since then */
};

/* Whether the receiver takes one more message now. */
static bool
try_message(struct run *run)
{
	const struct receiver *r = run->receiver;
	uint32_t now = run->w.now;

	if (r->burst == 0) {
		if (run->window != now / r->seconds)
			run->taken = 0;
		run->window = now / r->seconds;
		return run->taken++ < r->count;
	}
	run->tokens += (now - run->filled) * rate_of(r);
	run->filled = now;
	if (run->tokens > r->burst)
		run->tokens = r->burst;
	if (run->tokens < 1)
		return false;
	run->tokens -= 1;
	return true;
}

static void
begin_attempt(struct run *run, struct connection *c)
{
	struct smtpd_schedule *s = run->w.schedule;

	if (c->site != NULL) {
		c->job = smtpd__schedule_take_more(s, run->w.now, c->site);
		return;
	}
	c->job = smtpd__schedule_take(s, run->w.now, &c->site);
	if (c->job == NULL) {
		c->site = NULL;
	} else if (!smtpd__destination_bind(
		       s, c->job->destination, SITE, run->w.now, &c->site)) {
		smtpd__schedule_put_back(s, c->job, run->w.now);
		c->job = NULL;
	}
}

static void
end_attempt(struct run *run, struct connection *c)
{
	struct world *w = &run->w;
	bool taken = try_message(run);
	const struct smtpd_shaping_signs signs = {
		.accepted = taken,
		.throttle = taken ? SMTPD_THROTTLE_NONE : run->receiver->says,
		.mails = 1,
	};

	run->attempts++;
	smtpd__shaping_learn(w->schedule, c->site, &signs, w->now);
	smtpd__site_feedback_report(
	    w->schedule, c->site, SMTPD_SITE_FINE, NULL, w->now);
	if (taken) {
		run->sent++;
		if (run->sent == run->receiver->messages / 10 * 9)
			run->most_at = w->now;
		world_finish(w, c->job);
	} else {
		if (run->refused_at == 0)
			run->refused_at = w->now;
		world_retry_later(w, c->job);
		assert_int_equal(
		    smtpd__schedule_insert(w->schedule, c->job, w->now), 0);
	}
	c->job = NULL;
}

static void
leave_site(struct run *run, struct connection *c)
{
	if (c->site != NULL)
		smtpd__schedule_leave(run->w.schedule, c->site, run->w.now);
	c->site = NULL;
}

/* One message over each connection, side by side: none knows what becomes of
 * the others. */
static void
run_round(struct run *run)
{
	for (int i = 0; i < CONNECTIONS; i++)
		begin_attempt(run, &run->connections[i]);
	for (int i = 0; i < CONNECTIONS; i++) {
		if (run->connections[i].job != NULL)
			end_attempt(run, &run->connections[i]);
		else
			leave_site(run, &run->connections[i]);
	}
}

/* Note since when the learned rate is about that of the receiver. */
static void
watch_rate(struct run *run)
{
	struct smtpd_site_info info;
	uint32_t place = 0;
	double rate;

	if (run->refused_at == 0 || run->found_at != 0 ||
	    smtpd__destination_list_sites(run->w.schedule, &place, &info, 1) ==
		0 ||
	    info.shaping.learned_us == 0)
		return;
	rate = 1e6 / (double)info.shaping.learned_us;
	if (rate > 0.5 * rate_of(run->receiver) &&
	    rate < 1.25 * rate_of(run->receiver))
		run->found_at = run->w.now;
}

static void
run_until_sent(struct run *run, const struct receiver *r)
{
	*run = (struct run){ .receiver = r };
	world_begin(&run->w, NULL, 36000);
	run->tokens = r->burst;
	run->filled = run->w.now;
	world_mail_many(&run->w, "a.example", r->messages);
	for (; run->sent < r->messages; run->w.now++) {
		assert_true(run->w.now < 36000 + 4 * DAY);
		for (int i = 0; i < EACH; i++)
			run_round(run);
		watch_rate(run);
	}
	for (int i = 0; i < CONNECTIONS; i++)
		leave_site(run, &run->connections[i]);
	world_end(&run->w);
}

static void
a_throttled_receiver_is_not_pestered(void **state)
{
	static const struct receiver receivers[] = {
		{ "10 a second", 10, 1, 0, SMTPD_THROTTLE_SURE, 5000, 60 },
		{ "the same, not surely", 10, 1, 0, SMTPD_THROTTLE_LIKELY, 5000,
		    60 },
		{ "50 a second", 50, 1, 0, SMTPD_THROTTLE_SURE, 5000, 60 },
		{ "1 a second", 1, 1, 0, SMTPD_THROTTLE_SURE, 1000, 60 },
		{ "60 a minute", 60, 60, 0, SMTPD_THROTTLE_SURE, 1000, 62 },
		{ "600 a minute", 600, 60, 0, SMTPD_THROTTLE_LIKELY, 5000, 62 },
		{ "a bucket of 100, 1 a second", 1, 1, 100, SMTPD_THROTTLE_SURE,
		    1000, 60 },
		{ "a bucket of 100, 20 a second", 20, 1, 100,
		    SMTPD_THROTTLE_SURE, 5000, 60 },
		{ "100 an hour", 100, 3600, 0, SMTPD_THROTTLE_SURE, 300, 3900 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(receivers); i++) {
		const struct receiver *r = &receivers[i];
		double least = r->messages * 0.9 / rate_of(r);
		double each, found, most;
		struct run run;

		run_until_sent(&run, r);
		each = (double)run.attempts / r->messages;
		found = (double)run.found_at - run.refused_at;
		most = run.most_at - 36000;
		printf("%s: %.3f attempts a message, rate found after %.0f s, "
		       "most sent in %.2f of the least time\n",
		    r->name, each, found, most / least);
		assert_true(each <= 1.2);
		assert_true(run.found_at != 0 && found <= r->found_s);
		/* What was refused waits for a time of its own. */
		assert_true(most < 1.5 * least + 60);
	}
}

/* A receiver that refuses some mail for other reasons is not slowed down. */
static void
greylisting_is_no_rate(void **state)
{
	struct run run = { .receiver = NULL };
	const struct smtpd_shaping_signs signs = {
		.throttle = SMTPD_THROTTLE_LIKELY,
		.mails = 1,
	};

	(void)state;
	world_begin(&run.w, NULL, 36000);
	world_mail_many(&run.w, "a.example", 100);
	for (int i = 0; i < 100; i++) {
		struct connection *c = &run.connections[0];

		begin_attempt(&run, c);
		if (c->job == NULL)
			begin_attempt(&run, c);
		assert_non_null(c->job);
		smtpd__shaping_learn(
		    run.w.schedule, c->site, &signs, run.w.now);
		world_retry_later(&run.w, c->job);
		smtpd__schedule_insert(run.w.schedule, c->job, run.w.now);
	}
	leave_site(&run, &run.connections[0]);
	world_end(&run.w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_throttled_receiver_is_not_pestered),
		cmocka_unit_test(greylisting_is_no_rate),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
