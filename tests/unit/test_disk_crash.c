/* SPDX-License-Identifier: MIT */
/* A writer that is killed in the middle of a burst, time and again: what it
 * was told is durable is there, and of each group all or nothing.  KILL_ROUNDS
 * (20) says how often, by ten. */
#include <sys/types.h>
#include <sys/wait.h>

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "disk_fixture.h"

#include "test.h"

#define THREADS 4

/* Keys of one round and thread: groups of GROUP, the first is a multiple. */
#define GROUP 3
#define SPAN  30000u

struct writer {
	struct disk_fixture *d;
	int out;
	unsigned first;
};

/* Tell the first key of each group that is durable. */
static void *
write_on(void *user)
{
	const struct writer *w = user;

	for (unsigned key = w->first; key < w->first + SPAN; key += GROUP) {
		if (disk_fixture_append_group(
			w->d, key, GROUP, key * 37 % 3000, 0) == -1 ||
		    write(w->out, &key, sizeof(key)) != sizeof(key))
			break;
	}
	return NULL;
}

static void
write_until_killed(struct disk_fixture *d, int out, unsigned first)
{
	struct writer writers[THREADS];
	pthread_t threads[THREADS];

	disk_fixture_open(d);
	for (unsigned i = 0; i < THREADS; i++) {
		writers[i] = (struct writer){ d, out, first + i * SPAN };
		if (pthread_create(&threads[i], NULL, write_on, &writers[i]) !=
		    0)
			_exit(1);
	}
	for (;;) {
		while (smtpd__disk_prepare(d->log) == 1)
			;
		pause();
	}
}

/* Keep what was durable in KEPT from N on.  Return how many there are. */
static size_t
run_child(struct disk_fixture *d, unsigned first, size_t kills_after,
    unsigned *kept, size_t n, size_t room)
{
	int ends[2], status;
	unsigned key;
	pid_t child;

	assert_int_equal(pipe(ends), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		close(ends[0]);
		write_until_killed(d, ends[1], first);
	}
	close(ends[1]);
	while (n < room && read(ends[0], &key, sizeof(key)) == sizeof(key)) {
		kept[n++] = key;
		if (kills_after-- == 0)
			assert_int_equal(kill(child, SIGKILL), 0);
	}
	assert_true(n < room);
	close(ends[0]);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	return n;
}

static int
by_key(const void *a, const void *b)
{
	unsigned x = *(const unsigned *)a, y = *(const unsigned *)b;

	return (x > y) - (x < y);
}

static int
by_seen_key(const void *a, const void *b)
{
	return by_key(
	    &((const struct seen *)a)->key, &((const struct seen *)b)->key);
}

/* All of KEPT was seen, and groups are whole. */
static void
expect_kept(struct disk_fixture *d, unsigned *kept, size_t n)
{
	size_t at = 0;

	qsort(kept, n, sizeof(*kept), by_key);
	qsort(d->seen, d->count, sizeof(*d->seen), by_seen_key);
	assert_int_equal(d->count % GROUP, 0);
	assert_true(d->count >= n * GROUP);
	for (size_t i = 0; i < d->count; i += GROUP) {
		for (unsigned k = 0; k < GROUP; k++)
			assert_int_equal(
			    d->seen[i + k].key, d->seen[i].key + k);
		assert_int_equal(d->seen[i].key % GROUP, 0);
		if (at < n && kept[at] == d->seen[i].key)
			at++;
	}
	assert_int_equal(at, n);
}

static void
test_killed(void **state)
{
	enum {
		ROOM = 200000
	};
	struct disk_fixture *d = *state;
	unsigned rounds = 10 * test_number("KILL_ROUNDS", 20);
	unsigned *kept = malloc(ROOM * sizeof(*kept));
	size_t n = 0;

	assert_non_null(kept);
	for (unsigned round = 0; round < rounds; round++) {
		unsigned first = round * THREADS * SPAN;

		n = run_child(d, first, round * 7 % 60, kept, n, ROOM);
		d->settings.read_only = round % 2;
		disk_fixture_open(d);
		expect_kept(d, kept, n);
		for (size_t i = 0; i < d->count; i += 101)
			disk_fixture_check(d, &d->seen[i]);
		/* A group that was being written may be reported as torn; none
		 * that was durable is. */
		d->reports = 0;
		d->settings.read_only = false;
		disk_fixture_close(d);
	}
	print_message(
	    "%zu groups were durable, %zu are there\n", n, d->count / GROUP);
	free(kept);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    test_killed, disk_fixture_setup, disk_fixture_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
