/* SPDX-License-Identifier: MIT */
#include "os/ready_set.h"

#include <errno.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "os/clock.h"
#include "os/fd.h"

int
smtpd__ready_set_init(struct smtpd_ready_set *r)
{
	/* The alarm has no owner. */
	struct epoll_event event = { .events = EPOLLIN };

	r->set = epoll_create1(EPOLL_CLOEXEC);
	r->alarm = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (r->set == -1 || r->alarm == -1 ||
	    epoll_ctl(r->set, EPOLL_CTL_ADD, r->alarm, &event) == -1)
		return errno;
	return 0;
}

void
smtpd__ready_set_finish(struct smtpd_ready_set *r)
{
	smtpd__fd_close(r->alarm);
	smtpd__fd_close(r->set);
	r->alarm = r->set = -1;
}

int
smtpd__ready_set_wait_for(
    struct smtpd_ready_set *r, int fd, void *owner, bool known)
{
	struct epoll_event event = {
		.events = EPOLLIN | EPOLLRDHUP | EPOLLONESHOT,
		.data.ptr = owner,
	};

	return epoll_ctl(r->set, known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd,
		   &event) == 0
	    ? 0
	    : errno;
}

void
smtpd__ready_set_remove(struct smtpd_ready_set *r, int fd)
{
	epoll_ctl(r->set, EPOLL_CTL_DEL, fd, NULL);
}

void
smtpd__ready_set_ring(struct smtpd_ready_set *r, uint64_t when)
{
	struct itimerspec in = { .it_interval = { 0 } };
	uint64_t now = smtpd__clock_ms();
	uint64_t ms = when > now ? when - now : 0;

	/* All zero would disarm it. */
	if (when != SMTPD_NEVER) {
		in.it_value.tv_sec = (time_t)(ms / 1000);
		in.it_value.tv_nsec = (long)(ms % 1000) * 1000000 + 1;
	}
	timerfd_settime(r->alarm, 0, &in, NULL);
}

void *
smtpd__ready_set_take(struct smtpd_ready_set *r, bool *rung)
{
	struct epoll_event event;
	uint64_t times;

	*rung = false;
	if (epoll_wait(r->set, &event, 1, 0) != 1)
		return NULL;
	if (event.data.ptr == NULL)
		*rung = read(r->alarm, &times, sizeof(times)) > 0;
	return event.data.ptr;
}
