/* SPDX-License-Identifier: MIT */
#include "os/poll.h"

#include <errno.h>
#include <poll.h>

#include "os/clock.h"

enum smtpd_poll_result
smtpd__poll_wait(int fd, short events, int cancel_fd, uint64_t deadline)
{
	struct pollfd fds[] = {
		{ .fd = fd, .events = events },
		{ .fd = cancel_fd, .events = POLLIN },
	};

	for (;;) {
		uint64_t now = smtpd__clock_ms();
		int n = poll(fds, 2, smtpd__clock_poll_ms(now, deadline));

		if (n > 0)
			return fds[1].revents != 0 ? SMTPD_POLL_CANCELLED
						   : SMTPD_POLL_READY;
		if (n == -1 && errno != EINTR)
			return SMTPD_POLL_ERROR;
		if (smtpd__clock_ms() >= deadline)
			return SMTPD_POLL_TIMEOUT;
	}
}
