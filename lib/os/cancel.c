/* SPDX-License-Identifier: MIT */
#include "os/cancel.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "os/clock.h"
#include "os/fd.h"

struct smtpd_cancel {
	int pipe[2];
	int set;   /* of the pipe and what else triggers it; -1: nothing does */
	int timer; /* in the set; -1: none yet */
	atomic_bool triggered;
};

struct smtpd_cancel *
smtpd_cancel_create(void)
{
	struct smtpd_cancel *c = malloc(sizeof(*c));
	int saved;

	if (c == NULL)
		return NULL;
	c->set = c->timer = -1;
	atomic_init(&c->triggered, false);
	if (pipe2(c->pipe, O_CLOEXEC | O_NONBLOCK) == 0)
		return c;
	saved = errno;
	free(c);
	errno = saved;
	return NULL;
}

/* Let FD trigger C while it has one of EVENTS, or is broken. */
static int
add_to_set(const struct smtpd_cancel *c, int fd, uint32_t events)
{
	struct epoll_event event = { .events = events };

	return epoll_ctl(c->set, EPOLL_CTL_ADD, fd, &event);
}

struct smtpd_cancel *
smtpd__cancel_create_for(int fd)
{
	struct smtpd_cancel *c = smtpd_cancel_create();
	int saved;

	if (c == NULL)
		return NULL;
	c->set = epoll_create1(EPOLL_CLOEXEC);
	if (c->set != -1 && add_to_set(c, c->pipe[0], EPOLLIN) == 0 &&
	    (fd == -1 || add_to_set(c, fd, 0) == 0))
		return c;
	saved = errno;
	smtpd_cancel_destroy(c);
	errno = saved;
	return NULL;
}

void
smtpd__cancel_watch_input(struct smtpd_cancel *c, int fd, bool watched)
{
	struct epoll_event event = { .events = watched ? EPOLLRDHUP : 0 };

	epoll_ctl(c->set, EPOLL_CTL_MOD, fd, &event);
}

int
smtpd__cancel_set_deadline(struct smtpd_cancel *c, uint64_t when)
{
	struct itimerspec at = { .it_interval = { 0 } };

	if (c->timer == -1 && when == SMTPD_NEVER)
		return 0;
	if (c->timer == -1) {
		c->timer =
		    timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
		if (c->timer == -1 || add_to_set(c, c->timer, EPOLLIN) == -1)
			return errno;
	}
	/* All zero would disarm it. */
	if (when != SMTPD_NEVER) {
		at.it_value.tv_sec = (time_t)(when / 1000);
		at.it_value.tv_nsec = (long)(when % 1000) * 1000000 + 1;
	}
	return timerfd_settime(c->timer, TFD_TIMER_ABSTIME, &at, NULL) == 0
	    ? 0
	    : errno;
}

void
smtpd_cancel_destroy(struct smtpd_cancel *c)
{
	if (c == NULL)
		return;
	smtpd__fd_close(c->timer);
	smtpd__fd_close(c->set);
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
	struct pollfd set = { .events = POLLIN };

	if (c == NULL || atomic_load(&c->triggered))
		return c != NULL;
	set.fd = c->set;
	return c->set != -1 && poll(&set, 1, 0) > 0;
}

int
smtpd_cancel_fd(const struct smtpd_cancel *c)
{
	if (c == NULL)
		return -1;
	return c->set != -1 ? c->set : c->pipe[0];
}
