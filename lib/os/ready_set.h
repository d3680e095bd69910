/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_OS_READY_SET_H
#define SMTPD_OS_READY_SET_H

/*
 * Many descriptors that are waited for at once, and an alarm: one descriptor
 * tells that one of them has something to read, or that it is time.
 *
 * Any thread may call any function.
 */

#include <stdbool.h>
#include <stdint.h>

struct smtpd_ready_set {
	int set;   /* readable when there is something to take; or -1 */
	int alarm; /* a timer, which is in the set; or -1 */
};

/* Return 0, or an errno value; finish it in any case. */
int smtpd__ready_set_init(struct smtpd_ready_set *r);
void smtpd__ready_set_finish(struct smtpd_ready_set *r);

/*
 * Wait for FD, on behalf of OWNER, until it is taken or removed.  KNOWN: it was
 * taken before, and is in the set.  Return 0 or an errno value.
 */
int smtpd__ready_set_wait_for(
    struct smtpd_ready_set *r, int fd, void *owner, bool known);

/* Forget FD: it is not taken any more.  It may be closed then, though other
 * processes may have it as well. */
void smtpd__ready_set_remove(struct smtpd_ready_set *r, int fd);

/* Ring the alarm at WHEN, as smtpd__clock_ms() counts, instead of at the time
 * that was set before; SMTPD_NEVER: not at all. */
void smtpd__ready_set_ring(struct smtpd_ready_set *r, uint64_t when);

/* Take the owner of a descriptor that can be read, or is broken: it is not
 * waited for any more.  NULL: there is none; *RUNG says whether the alarm has
 * rung, which silences it. */
void *smtpd__ready_set_take(struct smtpd_ready_set *r, bool *rung);

#endif
