/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_QUEUE_SPOOL_CHECK_H
#define SMTPD_QUEUE_SPOOL_CHECK_H

/* A check of all messages, for an operator. */

#include <smtpd/queue.h>

#include <stdint.h>

struct smtpd_spool;

/* What smtpd__spool_check() found. */
struct smtpd_spool_damage {
	uint64_t messages;   /* that are whole */
	uint64_t damaged;    /* that are not, and pieces of the log */
	uint64_t unread;     /* that cannot be read: nobody knows */
	uint64_t quarantine; /* files in quarantine/, reasons not counted */
	uint64_t dead;       /* and in dead/ */
};

/* Read every message, and report each that is damaged, or cannot be read, in a
 * line to WRITE, which gets no bytes before each message, to say whether to go
 * on.  Return 0, or what WRITE returned otherwise. */
int smtpd__spool_check(struct smtpd_spool *s, struct smtpd_spool_damage *out,
    smtpd_write_fn *write, void *user);

#endif
