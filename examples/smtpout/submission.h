/* SPDX-License-Identifier: MIT */
#ifndef SUBMISSION_H
#define SUBMISSION_H

/*
 * The part of smtpout in a session: it accepts mail for any address, queues it,
 * and logs a line for each message.
 */

#include <smtpd/queue.h>
#include <smtpd/server.h>

#include "log.h"
#include "user_shares.h"

/* The data that all sessions share. */
struct submission {
	struct log *log;
	struct smtpd_queue *queue;
	struct user_shares *shares;
};

/* Log, for smtpd_queue_settings, what became of a message; USER is the struct
 * submission. */
void submission_note(struct smtpd_session *s,
    const struct smtpd_queue_submission *report, void *user);

/* Register SUB, whose queue is open, with SRV, which it must outlive.  Return
 * 0, or -1 without memory. */
int submission_register(struct submission *sub, struct smtpd_server *srv);

#endif
