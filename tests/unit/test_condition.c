/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdbool.h>

#include "os/clock.h"
#include "os/condition.h"

#include "test.h"

static void
waits_end_at_their_moment(void **state)
{
	pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	uint64_t begun = smtpd__clock_ms();
	struct timespec until;
	pthread_cond_t condition;
	int error = 0;

	(void)state;
	smtpd__condition_init(&condition);
	until = smtpd__condition_after(30);
	pthread_mutex_lock(&lock);
	while (error == 0)
		error = smtpd__condition_wait(&condition, &lock, &until);
	pthread_mutex_unlock(&lock);
	assert_int_equal(error, ETIMEDOUT);
	assert_true(smtpd__clock_ms() - begun >= 29);
	pthread_cond_destroy(&condition);
}

struct shared {
	pthread_mutex_t lock;
	pthread_cond_t condition;
	bool done;
};

static void *
set_done(void *arg)
{
	struct shared *s = arg;

	pthread_mutex_lock(&s->lock);
	s->done = true;
	pthread_cond_signal(&s->condition);
	pthread_mutex_unlock(&s->lock);
	return NULL;
}

static void
without_a_moment_a_signal_ends_the_wait(void **state)
{
	struct shared s = { .lock = PTHREAD_MUTEX_INITIALIZER };
	pthread_t thread;

	(void)state;
	smtpd__condition_init(&s.condition);
	pthread_mutex_lock(&s.lock);
	assert_int_equal(pthread_create(&thread, NULL, set_done, &s), 0);
	while (!s.done)
		assert_int_equal(
		    smtpd__condition_wait(&s.condition, &s.lock, NULL), 0);
	pthread_mutex_unlock(&s.lock);
	pthread_join(thread, NULL);
	pthread_cond_destroy(&s.condition);
}

static void
moments_are_valid_and_ahead(void **state)
{
	(void)state;
	for (uint32_t ms = 0; ms < 2000; ms += 37) {
		uint64_t now = smtpd__clock_ms();
		struct timespec t = smtpd__condition_after(ms);
		uint64_t at =
		    (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;

		assert_in_range(t.tv_nsec, 0, 999999999);
		assert_true(at >= now + ms);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(waits_end_at_their_moment),
		cmocka_unit_test(without_a_moment_a_signal_ends_the_wait),
		cmocka_unit_test(moments_are_valid_and_ahead),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
