/* SPDX-License-Identifier: MIT */

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sys/resource.h>

#include <smtpd/cancel.h>

#include "test.h"

static bool
is_readable(const struct smtpd_cancel *c)
{
	struct pollfd pfd = { .fd = smtpd_cancel_fd(c), .events = POLLIN };

	return poll(&pfd, 1, 0) == 1;
}

static void
null_is_never_triggered(void **state)
{
	(void)state;
	assert_false(smtpd_cancel_is_triggered(NULL));
	assert_int_equal(smtpd_cancel_fd(NULL), -1);
	smtpd_cancel_destroy(NULL);
}

static void
once_triggered_it_stays_so(void **state)
{
	struct smtpd_cancel *c = smtpd_cancel_create();

	(void)state;
	assert_non_null(c);
	assert_false(smtpd_cancel_is_triggered(c));
	assert_false(is_readable(c));
	for (int i = 0; i < 100000; i++)
		smtpd_cancel_trigger(c);
	assert_true(smtpd_cancel_is_triggered(c));
	assert_true(is_readable(c));
	assert_true(is_readable(c));
	smtpd_cancel_destroy(c);
}

static void
errno_is_kept(void **state)
{
	struct smtpd_cancel *c = smtpd_cancel_create();

	(void)state;
	errno = EDOM;
	smtpd_cancel_trigger(c);
	assert_int_equal(errno, EDOM);
	smtpd_cancel_destroy(c);
}

static void
without_descriptors_there_is_none(void **state)
{
	struct rlimit old, none;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	none = old;
	none.rlim_cur = 3;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	errno = 0;
	assert_null(smtpd_cancel_create());
	assert_int_equal(errno, EMFILE);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
}

static void *
wait_for_it(void *arg)
{
	struct pollfd pfd = { .fd = smtpd_cancel_fd(arg), .events = POLLIN };

	return poll(&pfd, 1, 30000) == 1 && smtpd_cancel_is_triggered(arg)
	    ? arg
	    : NULL;
}

static void
every_waiting_thread_is_woken(void **state)
{
	struct smtpd_cancel *c = smtpd_cancel_create();
	pthread_t threads[8];
	void *woken;

	(void)state;
	for (int i = 0; i < 8; i++)
		assert_int_equal(
		    pthread_create(&threads[i], NULL, wait_for_it, c), 0);
	smtpd_cancel_trigger(c);
	for (int i = 0; i < 8; i++) {
		pthread_join(threads[i], &woken);
		assert_ptr_equal(woken, c);
	}
	smtpd_cancel_destroy(c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(null_is_never_triggered),
		cmocka_unit_test(once_triggered_it_stays_so),
		cmocka_unit_test(errno_is_kept),
		cmocka_unit_test(without_descriptors_there_is_none),
		cmocka_unit_test(every_waiting_thread_is_woken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
