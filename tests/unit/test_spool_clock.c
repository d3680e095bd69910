/* SPDX-License-Identifier: MIT */
/* Clocks that jump: linked with --wrap of those of net/clock. */
#include "spool_fixture.h"

#include <stdbool.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "os/clock.h"

#include "test.h"

#define HOUR (3600 * (uint64_t)1000)
#define DAY  (24 * HOUR)
#define YEAR (365 * DAY)

uint64_t __wrap_smtpd__clock_wall_ms(void);
uint64_t __wrap_smtpd__clock_boot_ms(void);
uint64_t __wrap_smtpd__clock_ms(void);

static uint64_t wall = 1700000000000;
static uint64_t boot = 5000;

uint64_t
__wrap_smtpd__clock_wall_ms(void)
{
	return wall;
}

uint64_t
__wrap_smtpd__clock_boot_ms(void)
{
	return boot;
}

uint64_t
__wrap_smtpd__clock_ms(void)
{
	return boot;
}

/* What the queue's clock shows after the wall clock went on by WALL_MS while
 * the queue was closed, and the machine restarted. */
static uint32_t
gain_while_closed(struct fixture *f, int64_t wall_ms)
{
	uint32_t before = smtpd__spool_clock_now(f->spool);

	fixture_close(f);
	wall = (uint64_t)((int64_t)wall + wall_ms);
	boot = 1000;
	fixture_open(f);
	return smtpd__spool_clock_now(f->spool) - before;
}

static void
test_open(void **state)
{
	struct fixture *f = *state;
	uint32_t now = smtpd__spool_clock_now(f->spool);

	assert_int_equal(now, 0);
	boot += 10 * HOUR;
	assert_int_equal(smtpd__spool_clock_now(f->spool), 36000);
	/* While it is open the wall clock has no say. */
	wall += YEAR;
	assert_int_equal(smtpd__spool_clock_now(f->spool), 36000);
	wall -= 2 * YEAR;
	assert_int_equal(smtpd__spool_clock_now(f->spool), 36000);
	boot -= 10 * HOUR;
	assert_int_equal(smtpd__spool_clock_now(f->spool), 0);
}

static void
test_closed(void **state)
{
	struct fixture *f = *state;

	/* S33: Only while it is open can it try anything. */
	fixture_add(f, "a@b", "x");
	assert_int_equal(gain_while_closed(f, HOUR), 0);
	assert_int_equal(gain_while_closed(f, 2 * DAY), 0);
	assert_int_equal(gain_while_closed(f, YEAR), 0);
	assert_int_equal(gain_while_closed(f, -(int64_t)YEAR), 0);
}

/* A message does not get older, or its time come, by a clock that jumps. */
static void
test_ages(void **state)
{
	struct fixture *f = *state;
	uint64_t id = fixture_add(f, "a@b", "x");
	struct smtpd_queued_message *e;

	assert_int_equal(fixture_progress(f, id, 0, false,
			     smtpd__spool_clock_now(f->spool) + 300, ""),
	    0);
	gain_while_closed(f, -(int64_t)YEAR);
	e = fixture_find(f, id);
	assert_int_equal(
	    e->jobs[0].due - smtpd__spool_clock_now(f->spool), 300);
	assert_int_equal(smtpd__spool_clock_now(f->spool) - e->arrived, 0);
	smtpd__spool_unpin(f->spool, e);

	gain_while_closed(f, 100000);
	e = fixture_find(f, id);
	assert_int_equal(smtpd__spool_clock_now(f->spool) - e->arrived, 0);
	/* What waits is due earlier, however. */
	assert_int_equal(
	    e->jobs[0].due - smtpd__spool_clock_now(f->spool), 200);
	smtpd__spool_unpin(f->spool, e);
}

/* Nothing waits for ever. */
static void
test_far_future(void **state)
{
	struct fixture *f = *state;
	uint64_t id = fixture_add(f, "a@b", "x");
	struct smtpd_queued_message *e;

	assert_int_equal(
	    fixture_progress(f, id, 0, false, SMTPD_TIME_NONE - 5, ""), 0);
	fixture_reopen(f);
	e = fixture_find(f, id);
	assert_int_equal(
	    e->jobs[0].due - smtpd__spool_clock_now(f->spool), 86400);
	smtpd__spool_unpin(f->spool, e);
}

/* While mail waits the clock is recorded, so that it goes on after a crash;
 * and only then. */
static void
test_marks(void **state)
{
	struct fixture *f = *state;
	struct smtpd_journal_stats stats;

	boot += HOUR;
	smtpd__spool_clean(f->spool);
	smtpd__journal_stats(smtpd__spool_journal(f->spool), &stats);
	assert_int_equal(stats.records, 0);
	fixture_add(f, "a@b", "x");
	for (int i = 0; i < 120; i++) {
		smtpd__spool_clean(f->spool);
		boot += 30000;
	}
	smtpd__journal_stats(smtpd__spool_journal(f->spool), &stats);
	assert_in_range(stats.records, 6, 8);
}

static void
test_wall_of(void **state)
{
	struct fixture *f = *state;

	boot += HOUR;
	assert_int_equal(smtpd__spool_clock_wall_ms(f->spool, 3600), wall);
	assert_int_equal(smtpd__spool_clock_wall_ms(f->spool, 0), wall - HOUR);
	assert_int_equal(
	    smtpd__spool_clock_wall_ms(f->spool, 3700), wall + 100000);
	wall = 5000;
	assert_int_equal(smtpd__spool_clock_wall_ms(f->spool, 0), 0);
}

/* Ids rise, whatever the clock does. */
static void
test_ids(void **state)
{
	struct fixture *f = *state;
	uint64_t first = fixture_add(f, "a@b", "x"), second;

	assert_int_equal(fixture_progress(f, first, 0, true, 0, ""), 0);
	gain_while_closed(f, -(int64_t)YEAR);
	second = fixture_add(f, "a@b", "x");
	assert_true(second > first);
}

/* The id of a message that another process queues at WHEN, and that ends; it
 * is killed unless CLOSES. */
static uint64_t
id_of_process(struct fixture *f, uint64_t when, bool closes)
{
	uint64_t id = 0;
	int ends[2];
	pid_t pid;

	assert_int_equal(pipe(ends), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		wall = when;
		fixture_open(f);
		id = fixture_add(f, "a@b", "x");
		if (fixture_progress(f, id, 0, true, 0, "") == 0 &&
		    write(ends[1], &id, sizeof(id)) != sizeof(id))
			_exit(1);
		if (closes)
			fixture_close(f);
		_exit(0);
	}
	close(ends[1]);
	assert_int_equal(read(ends[0], &id, sizeof(id)), sizeof(id));
	close(ends[0]);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	return id;
}

/* S19: ids rise from one process to the next, also when the clock was set back
 * and all messages have ended. */
static void
ids_rise_across_processes(void **state)
{
	struct fixture *f = *state;
	uint64_t killed, closed, mine;

	fixture_close(f);
	killed = id_of_process(f, 4000000000000, false);
	closed = id_of_process(f, wall, true);
	fixture_open(f);
	mine = fixture_add(f, "a@b", "x");
	assert_true(closed > killed);
	assert_true(mine > closed);
}

/* S19: queues of one millisecond make different ids. */
static void
ids_of_processes_differ(void **state)
{
	struct fixture others[2];
	uint64_t ids[2];

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		fixture_make(&others[i]);
		ids[i] = id_of_process(&others[i], 3000000000000, false);
		fixture_remove(&others[i]);
	}
	assert_true(ids[0] != ids[1]);
}

static int
setup(void **state)
{
	wall = 1700000000000;
	boot = 5000;
	return fixture_setup(state);
}

int
main(void)
{
#define CASE(name) \
	cmocka_unit_test_setup_teardown(name, setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		CASE(test_open),
		CASE(test_closed),
		CASE(test_ages),
		CASE(test_far_future),
		CASE(test_marks),
		CASE(test_wall_of),
		CASE(test_ids),
		CASE(ids_of_processes_differ),
		CASE(ids_rise_across_processes),
	};
#undef CASE

	return cmocka_run_group_tests(tests, NULL, NULL);
}
