/* SPDX-License-Identifier: MIT */
/* Many threads at one spool; and what is left when all of them are killed. */
/* For MAP_ANONYMOUS. */
#define _DEFAULT_SOURCE
#include "spool_fixture.h"

#include <sys/mman.h>
#include <sys/wait.h>

#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "test.h"

#define THREADS     4
#define SLOTS       64 /* messages of one thread */
#define JOBS        2
#define CONTENT_MAX 9000

/* What is known of a message: each step is written down before and after it. */
enum phase {
	PHASE_NONE,
	PHASE_ADDING,
	PHASE_THERE,
	PHASE_ENDING,
	PHASE_CHANGING, /* held, or released */
};

struct slot {
	atomic_int phase;
	_Atomic uint64_t id;
	atomic_int begun[JOBS]; /* attempts */
	atomic_int done[JOBS];
	atomic_bool finished[JOBS];
	atomic_bool held;
};

/* Shared with the child that is killed. */
struct journal {
	struct slot slots[THREADS][SLOTS];
	atomic_bool stop;
};

struct worker {
	struct journal *journal;
	struct smtpd_spool *spool;
	struct slot *slots;
	uint64_t seed;
	int steps;
	pthread_t thread;
};

/* Nothing of cmocka's is used in threads and children. */
static void
must(bool holds, const char *what)
{
	if (holds)
		return;
	fprintf(stderr, "must hold: %s\n", what);
	abort();
}

#define MUST(holds) must((holds), #holds)

/* The content of a message says how long it is and what follows. */
static size_t
make_content(char *buf, uint32_t len)
{
	int head = snprintf(buf, CONTENT_MAX, "%u\n", len);

	for (size_t i = (size_t)head; i < len; i++)
		buf[i] = (char)('a' + (len + i) % 26);
	return len < (uint32_t)head ? (size_t)head : len;
}

static bool
is_whole(const struct smtpd_loaded_message *l)
{
	static _Thread_local char expected[CONTENT_MAX];
	uint32_t len = (uint32_t)strtoul(l->content, NULL, 10);

	return len < CONTENT_MAX && make_content(expected, len) == l->size &&
	    memcmp(l->content, expected, l->size) == 0;
}

static void
add(struct worker *w, struct slot *slot)
{
	static const struct smtpd_outgoing_rcpt rcpts[JOBS] = {
		{ .address = "a@a.example" }, { .address = "b@b.example" }
	};
	char buf[CONTENT_MAX];
	size_t len =
	    make_content(buf, fixture_random(&w->seed, CONTENT_MAX - 1));
	struct smtpd_spool_mail mail = {
		.envelope = {
			SMTPD_OUTGOING_ENVELOPE_INIT,
			.sender = "s@c.example",
			.rcpts = rcpts,
			.nrcpts = JOBS,
		},
		.content = smtpd__spool_content_create(w->spool),
	};
	struct smtpd_queued_message *e;

	for (int i = 0; i < JOBS; i++) {
		slot->begun[i] = 0;
		slot->done[i] = 0;
		slot->finished[i] = false;
	}
	slot->held = false;
	slot->id = smtpd__spool_choose_id(w->spool, 0);
	mail.id = slot->id;
	slot->phase = PHASE_ADDING;
	MUST(mail.content != NULL);
	MUST(smtpd__spool_content_write(mail.content, buf, len) == 0);
	MUST(smtpd__spool_add(w->spool, &mail, &e) == 0);
	MUST(e->id == slot->id);
	slot->phase = PHASE_THERE;
	smtpd__spool_unpin(w->spool, e);
}

static void
attempt(struct worker *w, struct slot *slot, struct smtpd_queued_message *e,
    int job)
{
	struct smtpd_rcpt_progress r = { .rcpt = (uint32_t)job,
		.finished = fixture_random(&w->seed, 3) == 0 };
	struct smtpd_progress p = { .job = &e->jobs[job],
		.rcpts = &r,
		.nrcpts = 1,
		.history = "a line about it\n",
		.history_len = 16 };
	struct smtpd_queued_message *report;
	bool last = r.finished && slot->finished[!job];

	if (slot->finished[job])
		return;
	p.attempts = (uint16_t)(slot->done[job] + 1);
	slot->begun[job]++;
	if (last)
		slot->phase = PHASE_ENDING;
	MUST(smtpd__spool_progress(w->spool, &p, &report) == 0);
	slot->done[job]++;
	slot->finished[job] = r.finished;
	if (last)
		slot->phase = PHASE_NONE;
}

static void
operate(struct worker *w, struct slot *slot, struct smtpd_queued_message *e)
{
	bool hold = !slot->held;

	if (fixture_random(&w->seed, 8) == 0) {
		slot->phase = PHASE_ENDING;
		MUST(smtpd__state_change_end(w->spool, e, NULL) == 0);
		slot->phase = PHASE_NONE;
		return;
	}
	slot->phase = PHASE_CHANGING;
	MUST(smtpd__state_change_hold(w->spool, e, hold) == 0);
	slot->held = hold;
	slot->phase = PHASE_THERE;
}

static void
look(struct worker *w, struct smtpd_queued_message *e)
{
	struct smtpd_loaded_message loaded;
	struct smtpd_queued_message *copy;

	MUST(smtpd__spool_load(w->spool, e, &loaded) == 0);
	MUST(is_whole(&loaded));
	smtpd__loaded_message_finish(&loaded);
	copy = smtpd__spool_copy(w->spool, e);
	MUST(copy != NULL);
	free(copy->finished);
	free(copy);
}

static void
step(struct worker *w)
{
	struct slot *slot = &w->slots[fixture_random(&w->seed, SLOTS)];
	struct smtpd_queued_message *e;
	uint32_t what = fixture_random(&w->seed, 10);

	if (slot->phase == PHASE_NONE) {
		add(w, slot);
		return;
	}
	e = smtpd__spool_find(w->spool, slot->id);
	MUST(e != NULL);
	if (what < 6)
		attempt(w, slot, e, what % 2);
	else if (what < 8)
		operate(w, slot, e);
	else
		look(w, e);
	smtpd__spool_unpin(w->spool, e);
}

static void *
work(void *arg)
{
	struct worker *w = arg;

	for (int i = 0; i < w->steps && !w->journal->stop; i++)
		step(w);
	return NULL;
}

static void *
clean(void *arg)
{
	struct worker *w = arg;

	while (!w->journal->stop) {
		if (!smtpd__spool_clean(w->spool))
			nanosleep(
			    &(struct timespec){ .tv_nsec = 1000000 }, NULL);
	}
	return NULL;
}

/* Others look at all there is meanwhile. */
static void *
list(void *arg)
{
	struct worker *w = arg;
	struct smtpd_loaded_message loaded;
	struct smtpd_queued_message *e;
	uint64_t id = 0;

	while (!w->journal->stop) {
		e = smtpd__spool_next(w->spool, id);
		id = e != NULL ? e->id : 0;
		if (e == NULL)
			continue;
		if (smtpd__spool_load(w->spool, e, &loaded) == 0) {
			MUST(is_whole(&loaded));
			smtpd__loaded_message_finish(&loaded);
		}
		smtpd__spool_unpin(w->spool, e);
	}
	return NULL;
}

/* Let all threads work for so many steps, or until the journal says so. */
static void
run(struct journal *j, struct smtpd_spool *spool, uint64_t seed, int steps)
{
	struct worker workers[THREADS + 2];

	for (size_t i = 0; i < THREADS + 2; i++) {
		workers[i] = (struct worker){ .journal = j,
			.spool = spool,
			.slots = j->slots[i % THREADS],
			.seed = seed + i,
			.steps = steps };
		MUST(pthread_create(&workers[i].thread, NULL,
			 i < THREADS        ? work
			     : i == THREADS ? clean
					    : list,
			 &workers[i]) == 0);
	}
	for (size_t i = 0; i < THREADS; i++)
		pthread_join(workers[i].thread, NULL);
	j->stop = true;
	pthread_join(workers[THREADS].thread, NULL);
	pthread_join(workers[THREADS + 1].thread, NULL);
	j->stop = false;
}

static struct journal *
make_journal(void)
{
	struct journal *j = mmap(NULL, sizeof(*j), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	assert_true(j != MAP_FAILED);
	return j;
}

static void
check_job(
    const struct slot *slot, const struct smtpd_queued_message *e, int job)
{
	const struct smtpd_delivery_job *j = &e->jobs[job];

	assert_in_range(j->attempts, slot->done[job], slot->begun[job]);
	if (slot->finished[job])
		assert_true(j->finished);
	else if (j->finished)
		assert_true(slot->begun[job] > slot->done[job]);
}

/* Whether the message of SLOT is what it must be; the journal is then what it
 * is.  Return whether it is there. */
static bool
check_slot(struct fixture *f, struct slot *slot)
{
	struct smtpd_queued_message *e = NULL;
	struct smtpd_loaded_message loaded;

	if (slot->phase != PHASE_NONE)
		e = smtpd__spool_find(f->spool, slot->id);
	if (e == NULL) {
		assert_true(slot->phase != PHASE_THERE);
		assert_true(slot->phase != PHASE_CHANGING);
		slot->phase = PHASE_NONE;
		return false;
	}
	for (int i = 0; i < JOBS; i++)
		check_job(slot, e, i);
	if (slot->phase != PHASE_CHANGING)
		assert_int_equal(
		    (e->flags & SMTPD_MESSAGE_HELD) != 0, slot->held);
	slot->held = (e->flags & SMTPD_MESSAGE_HELD) != 0;
	for (int i = 0; i < JOBS; i++) {
		slot->begun[i] = slot->done[i] = e->jobs[i].attempts;
		slot->finished[i] = e->jobs[i].finished;
	}
	slot->phase = PHASE_THERE;
	assert_int_equal(smtpd__spool_load(f->spool, e, &loaded), 0);
	assert_true(is_whole(&loaded));
	smtpd__loaded_message_finish(&loaded);
	smtpd__spool_unpin(f->spool, e);
	return true;
}

/* Nothing else is there. */
static void
check_all(struct fixture *f, struct journal *j)
{
	uint64_t count = 0;

	for (size_t i = 0; i < THREADS; i++)
		for (size_t k = 0; k < SLOTS; k++)
			count += check_slot(f, &j->slots[i][k]);
	assert_int_equal(smtpd__spool_count(f->spool), count);
	assert_int_equal(fixture_count_files(f, "quarantine"), 0);
}

static void
no_destinations(struct fixture *f)
{
	f->settings.destination = NULL;
	f->settings.release = NULL;
	fixture_reopen(f);
}

static void
test_crowd(void **state)
{
	struct fixture *f = *state;
	struct journal *j = make_journal();

	no_destinations(f);
	run(j, f->spool, 99, 3000);
	check_all(f, j);
	fixture_reopen(f);
	check_all(f, j);
	munmap(j, sizeof(*j));
}

/* What was acknowledged is there after a kill, whenever that was; and what was
 * not is there whole, or not at all. */
static void
test_kill(void **state)
{
	enum {
		ROUNDS = 40
	};
	struct fixture *f = *state;
	struct journal *j = make_journal();
	uint64_t seed = 12;

	no_destinations(f);
	for (int round = 0; round < ROUNDS; round++) {
		struct timespec time = { .tv_nsec = (long)fixture_random(
					     &seed, 40000000) };
		pid_t child;
		int status;

		fixture_close(f);
		child = fork();
		assert_true(child >= 0);
		if (child == 0) {
			fixture_open(f);
			run(j, f->spool, seed, 1000000);
			_exit(0);
		}
		nanosleep(&time, NULL);
		kill(child, SIGKILL);
		assert_int_equal(waitpid(child, &status, 0), child);
		if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL)
			fail_msg("round %d: status %d", round, status);
		fixture_open(f);
		check_all(f, j);
	}
	munmap(j, sizeof(*j));
}

/* An operator and a worker meet at the same message. */
struct meeting {
	struct smtpd_spool *spool;
	struct smtpd_queued_message *message;
	struct smtpd_queued_message *report;
	pthread_barrier_t barrier;
};

static void *
remove_it(void *arg)
{
	struct meeting *m = arg;

	pthread_barrier_wait(&m->barrier);
	MUST(smtpd__state_change_end(m->spool, m->message, NULL) == 0);
	return NULL;
}

static void *
finish_it(void *arg)
{
	static const struct smtpd_outgoing_rcpt back = { .address = "s@c" };
	struct meeting *m = arg;
	struct smtpd_rcpt_progress failed = { .finished = true };
	struct smtpd_spool_mail mail = {
		.envelope = {
			SMTPD_OUTGOING_ENVELOPE_INIT,
			.sender = "",
			.rcpts = &back,
			.nrcpts = 1,
		},
		.content = smtpd__spool_content_create(m->spool),
	};
	struct smtpd_progress p = { .job = &m->message->jobs[0],
		.rcpts = &failed,
		.nrcpts = 1,
		.history = "",
		.report = &mail };

	pthread_barrier_wait(&m->barrier);
	MUST(smtpd__spool_progress(m->spool, &p, &m->report) == 0);
	return NULL;
}

static void
test_meeting(void **state)
{
	struct fixture *f = *state;
	struct meeting m = { .spool = f->spool };
	uint64_t reports = 0;

	pthread_barrier_init(&m.barrier, NULL, 2);
	for (int i = 0; i < 300; i++) {
		pthread_t one, two;

		m.message = fixture_find(f, fixture_add(f, "a@b", "x"));
		assert_int_equal(pthread_create(&one, NULL, remove_it, &m), 0);
		assert_int_equal(pthread_create(&two, NULL, finish_it, &m), 0);
		pthread_join(one, NULL);
		pthread_join(two, NULL);
		assert_true((m.message->flags & SMTPD_MESSAGE_ENDED) != 0);
		smtpd__spool_unpin(f->spool, m.message);
		if (m.report == NULL)
			continue;
		reports++;
		smtpd__spool_unpin(f->spool, m.report);
	}
	pthread_barrier_destroy(&m.barrier);
	assert_int_equal(smtpd__spool_count(f->spool), reports);
	fixture_reopen(f);
	assert_int_equal(smtpd__spool_count(f->spool), reports);
}

int
main(void)
{
#define CASE(name) \
	cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		CASE(test_crowd),
		CASE(test_kill),
		CASE(test_meeting),
	};
#undef CASE

	return cmocka_run_group_tests(tests, NULL, NULL);
}
