/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_OS_POLL_H
#define SMTPD_OS_POLL_H

/*
 * Waiting for one descriptor, until a deadline or a cancellation.
 */

#include <stdint.h>

enum smtpd_poll_result {
	SMTPD_POLL_READY,
	SMTPD_POLL_TIMEOUT,
	SMTPD_POLL_CANCELLED,
	SMTPD_POLL_ERROR, /* with errno */
};

/*
 * Wait until FD is ready for EVENTS, as poll() has them, or failed, which the
 * next call on it will tell.  A wait ends at DEADLINE, as smtpd__clock_ms()
 * counts; if that has passed, FD is checked once.  CANCEL_FD ends it too, when
 * it becomes readable; -1: there is none.  Signals do not end a wait.
 */
enum smtpd_poll_result smtpd__poll_wait(
    int fd, short events, int cancel_fd, uint64_t deadline);

#endif
