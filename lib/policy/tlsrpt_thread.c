/* SPDX-License-Identifier: MIT */
#include "policy/tlsrpt_thread.h"

#include <errno.h>
#include <poll.h>

#include "os/clock.h"
#include "os/thread.h"

/* Between two steps. */
#define STEP_MS 60000

static void *
run_thread(void *arg)
{
	struct smtpd_tlsrpt_thread *t = arg;
	struct pollfd end = { smtpd_cancel_fd(t->cancel), POLLIN, 0 };

	smtpd__thread_set_name("smtpd-tlsrpt");
	do {
		smtpd__tlsrpt_step(
		    t->tlsrpt, smtpd__clock_wall_ms() / 1000, t->cancel);
		poll(&end, 1, STEP_MS);
	} while (!smtpd_cancel_is_triggered(t->cancel));
	return NULL;
}

int
smtpd__tlsrpt_thread_start(
    struct smtpd_tlsrpt_thread *t, struct smtpd_tlsrpt *tlsrpt)
{
	int code;

	t->tlsrpt = tlsrpt;
	t->cancel = smtpd_cancel_create();
	if (t->cancel == NULL)
		return errno;
	code = smtpd__thread_start(&t->thread, 0, run_thread, t);
	t->running = code == 0;
	return code;
}

void
smtpd__tlsrpt_thread_stop(struct smtpd_tlsrpt_thread *t)
{
	if (t->running) {
		smtpd_cancel_trigger(t->cancel);
		pthread_join(t->thread, NULL);
	}
	t->running = false;
	smtpd_cancel_destroy(t->cancel);
	t->cancel = NULL;
}
