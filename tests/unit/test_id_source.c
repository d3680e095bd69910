/* SPDX-License-Identifier: MIT */
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

#include "os/clock.h"
#include "os/id_source.h"

#include "test.h"

#define THREADS 4
#define EACH    20000

static void
ids_rise_and_stay_close_to_the_time(void **state)
{
	uint64_t before = smtpd__clock_wall_ms();
	uint64_t last = 0;

	(void)state;
	for (int i = 0; i < 1000; i++) {
		uint64_t id = smtpd__id_source_next();

		assert_true(id > last);
		assert_true(id >> 20 >= before);
		/* Many in a millisecond may run into the next one. */
		assert_true(id >> 20 <= smtpd__clock_wall_ms() + 1);
		last = id;
	}
}

static void *
make_ids(void *arg)
{
	uint64_t *ids = arg;

	for (size_t i = 0; i < EACH; i++)
		ids[i] = smtpd__id_source_next();
	return NULL;
}

static int
compare_ids(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static void
threads_get_different_ids(void **state)
{
	static uint64_t ids[THREADS * EACH];
	pthread_t threads[THREADS];

	(void)state;
	for (size_t i = 0; i < THREADS; i++)
		assert_int_equal(
		    pthread_create(&threads[i], NULL, make_ids, ids + i * EACH),
		    0);
	for (size_t i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	qsort(ids, THREADS * EACH, sizeof(ids[0]), compare_ids);
	for (size_t i = 1; i < THREADS * EACH; i++)
		assert_true(ids[i] != ids[i - 1]);
}

static void
noted_ids_are_left_behind(void **state)
{
	uint64_t far = (smtpd__clock_wall_ms() + 3600000) << 20;

	(void)state;
	smtpd__id_source_note(far);
	assert_true(smtpd__id_source_next() == far + 1);
	smtpd__id_source_note(5);
	assert_true(smtpd__id_source_next() == far + 2);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ids_rise_and_stay_close_to_the_time),
		cmocka_unit_test(threads_get_different_ids),
		cmocka_unit_test(noted_ids_are_left_behind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
