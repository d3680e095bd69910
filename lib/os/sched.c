/* SPDX-License-Identifier: MIT */
#include "os/sched.h"

#include <pthread.h>
#include <sched.h>
#include <unistd.h>

void
smtpd__sched_batch(void)
{
	struct sched_param param;
	int policy;

	if (pthread_getschedparam(pthread_self(), &policy, &param) == 0 &&
	    policy == SCHED_OTHER)
		pthread_setschedparam(pthread_self(), SCHED_BATCH, &param);
}

unsigned
smtpd__sched_processors(void)
{
	long n = sysconf(_SC_NPROCESSORS_ONLN);

	return n > 0 ? (unsigned)n : 1;
}
