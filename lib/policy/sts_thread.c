/* SPDX-License-Identifier: MIT */
#include "policy/sts_thread.h"

#include "os/clock.h"
#include "os/condition.h"
#include "os/thread.h"
#include "policy/sts_state.h"

/* How often the thread looks. */
#define ROUND_MS 30000

static void *
run_thread(void *arg)
{
	struct smtpd_sts *s = arg;

	smtpd__thread_set_name("smtpd-sts");
	pthread_mutex_lock(&s->lock);
	while (!s->stopping) {
		const struct timespec until = smtpd__condition_after(ROUND_MS);

		smtpd__condition_wait(&s->wake, &s->lock, &until);
		pthread_mutex_unlock(&s->lock);
		smtpd__sts_refresh(s, smtpd__clock_wall_ms() / 1000);
		pthread_mutex_lock(&s->lock);
	}
	pthread_mutex_unlock(&s->lock);
	return NULL;
}

int
smtpd__sts_thread_start(struct smtpd_sts *s)
{
	int code = smtpd__thread_start(&s->thread, 0, run_thread, s);

	s->running = code == 0;
	return code;
}

void
smtpd__sts_thread_stop(struct smtpd_sts *s)
{
	smtpd_cancel_trigger(s->cancel);
	pthread_mutex_lock(&s->lock);
	s->stopping = true;
	pthread_cond_broadcast(&s->wake);
	pthread_cond_broadcast(&s->found);
	pthread_mutex_unlock(&s->lock);
	if (s->running)
		pthread_join(s->thread, NULL);
	s->running = false;
}
