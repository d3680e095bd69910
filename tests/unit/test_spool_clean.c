/* SPDX-License-Identifier: MIT */
/* A spool against a model of it, while old segments are emptied. */
#include "spool_fixture.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "journal/disk/format.h"
#include "queue/spool/core.h"
#include "test.h"

#define MESSAGES 300
#define JOBS     3

/* What a message should be. */
struct model {
	uint64_t id; /* 0: it is not there */
	uint32_t njobs;
	uint32_t due[JOBS];
	uint16_t attempts[JOBS];
	bool finished[JOBS];
	bool held;
	uint32_t seed; /* of the content */
	size_t len;
};

struct world {
	struct fixture *f;
	struct model messages[MESSAGES];
	uint64_t seed;
	uint32_t closed; /* for so many seconds in all */
	char content[16384];
};

static uint32_t
chance(struct world *w, uint32_t n)
{
	return fixture_random(&w->seed, n);
}

static void
make_content(struct world *w, const struct model *m)
{
	for (size_t i = 0; i < m->len; i++)
		w->content[i] = (char)(m->seed + i * (m->seed % 7 + 1));
}

static void
add(struct world *w, struct model *m)
{
	static const char *const rcpts[JOBS] = { "a@a.example", "b@b.example",
		"c@c.example" };
	struct smtpd_queued_message *e;

	memset(m, 0, sizeof(*m));
	m->njobs = 1 + chance(w, JOBS);
	m->seed = chance(w, 1000000);
	m->len = chance(w, sizeof(w->content));
	make_content(w, m);
	assert_int_equal(
	    fixture_try_add(w->f, rcpts, m->njobs, w->content, m->len, &e), 0);
	m->id = e->id;
	for (uint32_t i = 0; i < m->njobs; i++)
		m->due[i] = e->jobs[i].due;
	smtpd__spool_unpin(w->f->spool, e);
}

/* Each attempt leaves its number in the history, and much else. */
static void
attempt(struct world *w, struct model *m, bool finish)
{
	uint32_t job = chance(w, m->njobs);
	char history[1024];
	bool all = true;

	if (m->finished[job])
		return;
	memset(history, '.', sizeof(history));
	snprintf(history + sizeof(history) - 32, 32, "%d;", ++m->attempts[job]);
	m->due[job] = smtpd__spool_clock_now(w->f->spool) + chance(w, 7200);
	m->finished[job] = finish;
	assert_int_equal(
	    fixture_progress(w->f, m->id, job, finish, m->due[job], history),
	    0);
	for (uint32_t i = 0; i < m->njobs; i++)
		all = all && m->finished[i];
	if (all)
		m->id = 0;
}

static void
operate(struct world *w, struct model *m)
{
	struct smtpd_queued_message *e = fixture_find(w->f, m->id);

	if (chance(w, 4) == 0) {
		assert_int_equal(
		    smtpd__state_change_end(w->f->spool, e, NULL), 0);
		m->id = 0;
	} else {
		m->held = !m->held;
		assert_int_equal(
		    smtpd__state_change_hold(w->f->spool, e, m->held), 0);
	}
	smtpd__spool_unpin(w->f->spool, e);
}

static void
check_job(struct world *w, const struct model *m,
    struct smtpd_queued_message *e, uint32_t job)
{
	static char history[1 << 20];
	const struct smtpd_delivery_job *j = &e->jobs[job];
	char last[32];

	assert_int_equal(j->finished, m->finished[job]);
	assert_int_equal(j->attempts, m->attempts[job]);
	/* What the queue was closed for is not waited for again. */
	assert_true(j->due <= m->due[job]);
	assert_true(j->due + w->closed >= m->due[job]);
	fixture_trail(w->f, m->id, job, history, sizeof(history));
	if (m->attempts[job] == 0) {
		assert_string_equal(history, "");
		return;
	}
	/* However it was shortened, the first and the last are there. */
	assert_non_null(strstr(history, ".1;"));
	snprintf(last, sizeof(last), ".%d;", m->attempts[job]);
	assert_int_equal(
	    strcmp(history + strlen(history) - strlen(last), last), 0);
	assert_true(strlen(history) < 65536);
}

static void
check(struct world *w)
{
	uint64_t count = 0;

	for (size_t i = 0; i < MESSAGES; i++) {
		struct model *m = &w->messages[i];
		struct smtpd_queued_message *e;

		if (m->id == 0)
			continue;
		count++;
		make_content(w, m);
		fixture_assert_content(w->f, m->id, w->content, m->len);
		e = fixture_find(w->f, m->id);
		assert_int_equal((e->flags & SMTPD_MESSAGE_HELD) != 0, m->held);
		assert_int_equal(e->njobs, m->njobs);
		for (uint32_t k = 0; k < m->njobs; k++)
			check_job(w, m, e, k);
		smtpd__spool_unpin(w->f->spool, e);
	}
	assert_int_equal(smtpd__spool_count(w->f->spool), count);
}

/* No more than about twice of what lives, and a few segments. */
static void
check_size(struct world *w)
{
	struct smtpd_journal_stats stats;

	fixture_clean(w->f);
	smtpd__journal_stats(smtpd__spool_journal(w->f->spool), &stats);
	assert_true(stats.segments <=
	    2 * (stats.live_bytes / w->f->settings.segment_size) + 8);
}

static void
test_model(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	assert_non_null(w);
	w->f = *state;
	w->seed = 4711;
	for (int step = 1; step <= 12000; step++) {
		struct model *m = &w->messages[chance(w, MESSAGES)];
		uint32_t what = chance(w, 100);

		if (m->id == 0)
			add(w, m);
		else if (what < 70)
			attempt(w, m, chance(w, 5) == 0);
		else if (what < 80)
			operate(w, m);
		else
			smtpd__spool_clean(w->f->spool);
		if (step % 3000 == 0) {
			check(w);
			check_size(w);
			fixture_reopen(w->f);
			w->closed += w->f->spool->closed_s;
			check(w);
		}
	}
	free(w);
}

/* One message stays while much is added and ended. */
static void
test_long_lived(void **state)
{
	struct fixture *f = *state;
	uint64_t id = fixture_add(f, "stays@a.example", "here I am");
	char *body = malloc(60001);
	struct smtpd_journal_stats stats;
	char history[4096];

	assert_non_null(body);
	memset(body, 'x', 60000);
	body[60000] = '\0';
	assert_int_equal(fixture_progress(f, id, 0, false, 77, "first;"), 0);
	for (int i = 0; i < 400; i++) {
		uint64_t other = fixture_add(f, "goes@b.example", body);

		assert_int_equal(
		    fixture_progress(f, other, 0, true, 0, "gone"), 0);
		fixture_clean(f);
		if (i == 200)
			assert_int_equal(
			    fixture_progress(f, id, 0, false, 78, "second;"),
			    0);
	}
	smtpd__journal_stats(smtpd__spool_journal(f->spool), &stats);
	assert_true(stats.segments <= 8);
	for (int round = 0; round < 2; round++) {
		struct smtpd_rcpt_progress *results;
		struct smtpd_queued_message *e = fixture_find(f, id);
		size_t count;

		assert_int_equal(e->jobs[0].due, fixture_due(f, 78));
		assert_int_equal(smtpd__spool_history_results(
				     f->spool, &e->jobs[0], &results, &count),
		    0);
		assert_int_equal(count, 1);
		free(results);
		smtpd__spool_unpin(f->spool, e);
		fixture_trail(f, id, 0, history, sizeof(history));
		assert_string_equal(history, "first;second;");
		fixture_assert_content(f, id, "here I am", 9);
		fixture_reopen(f);
	}
	free(body);
}

/* Recipients that are finished one by one stay so. */
static void
test_bits(void **state)
{
	enum {
		COUNT = 20
	};
	struct fixture *f = *state;
	char names[COUNT][16], *body = malloc(60001);
	const char *rcpts[COUNT];
	struct smtpd_rcpt_progress one = { .finished = true };
	struct smtpd_progress p = {
		.rcpts = &one, .nrcpts = 1, .history = "t"
	};
	struct smtpd_queued_message *e, *report;
	uint64_t id;

	assert_non_null(body);
	memset(body, 'x', 60000);
	body[60000] = '\0';
	for (int i = 0; i < COUNT; i++) {
		snprintf(names[i], sizeof(names[i]), "u%d@d%d", i, i % 2);
		rcpts[i] = names[i];
	}
	assert_int_equal(fixture_try_add(f, rcpts, COUNT, "x", 1, &e), 0);
	id = e->id;
	for (uint32_t i = 0; i < COUNT; i += 3) {
		one.rcpt = i;
		p.job = &e->jobs[i >= COUNT / 2];
		assert_int_equal(
		    smtpd__spool_progress(f->spool, &p, &report), 0);
	}
	smtpd__spool_unpin(f->spool, e);
	for (int i = 0; i < 150; i++) {
		uint64_t other = fixture_add(f, "goes@b.example", body);

		assert_int_equal(fixture_progress(f, other, 0, true, 0, ""), 0);
		fixture_clean(f);
	}
	fixture_reopen(f);
	e = fixture_find(f, id);
	assert_true(smtpd__disk_format_ref_segment(e->ref) > 1);
	for (uint32_t i = 0; i < COUNT; i++)
		assert_int_equal(smtpd__queued_message_is_finished(
				     e, &e->jobs[i >= COUNT / 2], i),
		    i % 3 == 0);
	smtpd__spool_unpin(f->spool, e);
	free(body);
}

/* An idle spool has nothing to do. */
static void
test_idle(void **state)
{
	struct fixture *f = *state;
	struct smtpd_journal_stats before, after;

	fixture_add(f, "a@b", "x");
	fixture_clean(f);
	smtpd__journal_stats(smtpd__spool_journal(f->spool), &before);
	for (int i = 0; i < 100; i++)
		assert_false(smtpd__spool_clean(f->spool));
	smtpd__journal_stats(smtpd__spool_journal(f->spool), &after);
	assert_int_equal(after.records, before.records);
	assert_int_equal(after.syncs, before.syncs);
}

/* S15: What is kept of attempts outweighs the mail by far: cleaning comes to an
 * end nevertheless when nothing else is written. */
static void
test_long_histories(void **state)
{
	struct fixture *f = *state;
	struct smtpd_journal_stats before, after;
	uint64_t ids[700];
	char history[6000];

	memset(history, 'h', sizeof(history));
	history[sizeof(history) - 1] = '\0';
	for (size_t i = 0; i < 700; i++)
		ids[i] = fixture_add(f, "a@b.example", "small");
	for (int round = 0; round < 2; round++)
		for (size_t i = 0; i < 700; i++)
			assert_int_equal(
			    fixture_progress(f, ids[i], 0, false, 1, history),
			    0);
	fixture_clean(f);
	smtpd__journal_stats(smtpd__spool_journal(f->spool), &before);
	for (int i = 0; i < 60; i++) {
		f->spool->cleaning.rest = 0;
		fixture_clean(f);
	}
	smtpd__journal_stats(smtpd__spool_journal(f->spool), &after);
	assert_true(after.bytes - before.bytes <= 2 * before.size);
	for (size_t i = 0; i < 700; i++)
		fixture_assert_content(f, ids[i], "small", 5);
}

int
main(void)
{
#define CASE(name) \
	cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		CASE(test_model),
		CASE(test_long_lived),
		CASE(test_bits),
		CASE(test_idle),
		CASE(test_long_histories),
	};
#undef CASE

	return cmocka_run_group_tests(tests, NULL, NULL);
}
