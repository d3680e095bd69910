/* SPDX-License-Identifier: MIT */
#include <poll.h>
#include <signal.h>
#include <sys/time.h>
#include <unistd.h>

#include "os/clock.h"
#include "os/poll.h"

#include "test.h"

struct pipes {
	int fds[2];
	int cancel[2];
};

static void
open_pipes(struct pipes *p)
{
	assert_int_equal(pipe(p->fds), 0);
	assert_int_equal(pipe(p->cancel), 0);
}

static void
close_pipes(struct pipes *p)
{
	for (int i = 0; i < 2; i++) {
		close(p->fds[i]);
		close(p->cancel[i]);
	}
}

static void
ready_is_told_even_after_the_deadline(void **state)
{
	struct pipes p;

	(void)state;
	open_pipes(&p);
	assert_int_equal(write(p.fds[1], "x", 1), 1);
	assert_int_equal(smtpd__poll_wait(p.fds[0], POLLIN, -1, SMTPD_NEVER),
	    SMTPD_POLL_READY);
	assert_int_equal(
	    smtpd__poll_wait(p.fds[0], POLLIN, -1, 0), SMTPD_POLL_READY);
	close_pipes(&p);
}

static void
nothing_ready_ends_at_the_deadline(void **state)
{
	uint64_t begun = smtpd__clock_ms();
	struct pipes p;

	(void)state;
	open_pipes(&p);
	assert_int_equal(
	    smtpd__poll_wait(p.fds[0], POLLIN, p.cancel[0], begun + 20),
	    SMTPD_POLL_TIMEOUT);
	assert_true(smtpd__clock_ms() >= begun + 20);
	close_pipes(&p);
}

static void
cancellation_goes_first(void **state)
{
	struct pipes p;

	(void)state;
	open_pipes(&p);
	assert_int_equal(write(p.fds[1], "x", 1), 1);
	assert_int_equal(write(p.cancel[1], "x", 1), 1);
	assert_int_equal(
	    smtpd__poll_wait(p.fds[0], POLLIN, p.cancel[0], SMTPD_NEVER),
	    SMTPD_POLL_CANCELLED);
	close_pipes(&p);
}

static void
ignore_signal(int number)
{
	(void)number;
}

static void
signals_do_not_end_a_wait(void **state)
{
	struct itimerval timer = { .it_value.tv_usec = 5000 };
	struct sigaction action = { .sa_handler = ignore_signal };
	uint64_t begun = smtpd__clock_ms();
	struct pipes p;

	(void)state;
	open_pipes(&p);
	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &timer, NULL);
	assert_int_equal(smtpd__poll_wait(p.fds[0], POLLIN, -1, begun + 40),
	    SMTPD_POLL_TIMEOUT);
	assert_true(smtpd__clock_ms() >= begun + 40);
	close_pipes(&p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ready_is_told_even_after_the_deadline),
		cmocka_unit_test(nothing_ready_ends_at_the_deadline),
		cmocka_unit_test(cancellation_goes_first),
		cmocka_unit_test(signals_do_not_end_a_wait),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
