/* SPDX-License-Identifier: MIT */
#include "os/condition.h"

void
smtpd__condition_init(pthread_cond_t *condition)
{
	pthread_condattr_t attr;

	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(condition, &attr);
	pthread_condattr_destroy(&attr);
}

struct timespec
smtpd__condition_after(uint32_t ms)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	t.tv_sec += (time_t)(ms / 1000);
	t.tv_nsec += (long)(ms % 1000) * 1000000;
	if (t.tv_nsec >= 1000000000) {
		t.tv_sec++;
		t.tv_nsec -= 1000000000;
	}
	return t;
}

int
smtpd__condition_wait(pthread_cond_t *condition, pthread_mutex_t *lock,
    const struct timespec *until)
{
	if (until == NULL)
		return pthread_cond_wait(condition, lock);
	return pthread_cond_timedwait(condition, lock, until);
}
