/* SPDX-License-Identifier: MIT */
#include <smtpd/cancel.h>

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

struct smtpd_cancel {
	int pipe[2];
	atomic_bool triggered;
};

struct smtpd_cancel *
smtpd_cancel_create(void)
{
	struct smtpd_cancel *c = malloc(sizeof(*c));
	int saved;

	if (c == NULL)
		return NULL;
	atomic_init(&c->triggered, false);
	if (pipe2(c->pipe, O_CLOEXEC | O_NONBLOCK) == 0)
		return c;
	saved = errno;
	free(c);
	errno = saved;
	return NULL;
}

void
smtpd_cancel_destroy(struct smtpd_cancel *c)
{
	if (c == NULL)
		return;
	close(c->pipe[0]);
	close(c->pipe[1]);
	free(c);
}

/* Nothing but what a signal handler may do.  The byte stays in the pipe, so
 * that every later wait ends too. */
void
smtpd_cancel_trigger(struct smtpd_cancel *c)
{
	int saved = errno;

	if (!atomic_exchange(&c->triggered, true))
		while (write(c->pipe[1], "", 1) < 0 && errno == EINTR)
			continue;
	errno = saved;
}

bool
smtpd_cancel_is_triggered(const struct smtpd_cancel *c)
{
	return c != NULL && atomic_load(&c->triggered);
}

int
smtpd_cancel_fd(const struct smtpd_cancel *c)
{
	return c == NULL ? -1 : c->pipe[0];
}
