/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_QUEUE_SPOOL_ADD_H
#define SMTPD_QUEUE_SPOOL_ADD_H

/* Adding messages to the spool: one by itself, or, step by step, a report
 * together with the progress that it is about. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include <smtpd/outgoing.h>

#include "base/pack.h"
#include "journal/journal.h"
#include "queue/model/queued_message.h"
#include "queue/spool/content.h"

struct smtpd_spool;

/* A message to be added. */
struct smtpd_spool_mail {
	uint64_t id;                             /* 0: a new one is made */
	struct smtpd_outgoing_envelope envelope; /* each recipient has a
	                                          * domain */
	unsigned flags; /* of enum smtpd_message_flag: HELD, AUTOMATIC */
	struct smtpd_spool_content *content; /* destroyed in any case */
};

/*
 * Add MAIL.  On 0 it is on stable storage, and *MESSAGE, whose jobs are out of
 * the schedule and due now, is pinned once: unpin it when they were scheduled.
 * Or -1 with errno: ENOSPC, ENOMEM, EINVAL (an address without a domain), EFBIG
 * (too many recipients), EEXIST (another message has the id), EIO and others.
 */
int smtpd__spool_add(struct smtpd_spool *s, const struct smtpd_spool_mail *mail,
    struct smtpd_queued_message **message);

/* Return 0 if a message with ENVELOPE can be added, or -1 with errno: EFBIG
 * when it has too many recipients or domains, EINVAL, ENOMEM. */
int smtpd__spool_add_check(const struct smtpd_spool *s,
    const struct smtpd_outgoing_envelope *envelope);

/* How many octets the recipients of a message may have in the journal, as
 * smtpd__record_rcpt_size() counts them. */
size_t smtpd__spool_add_rcpts_max(const struct smtpd_spool *s);

/* A message between the steps. */
struct smtpd_addition {
	struct smtpd_queued_message *message;
	struct smtpd_spool_content *content;
	struct smtpd_journal_record record; /* to be appended */
	struct smtpd_pack head;
	struct smtpd_pack envelope;
	struct iovec body[2];
	bool published; /* in large/ */
};

/* Do all that may fail but the append.  Return 0, or -1 with errno, and
 * nothing is to be undone.  The content of MAIL is the addition's. */
int smtpd__spool_add_begin(struct smtpd_spool *s,
    const struct smtpd_spool_mail *mail, struct smtpd_addition *a);

/* A->record is in the log, and has its ref and size: the message appears.
 * Return it with a pin. */
struct smtpd_queued_message *smtpd__spool_add_finish(
    struct smtpd_spool *s, struct smtpd_addition *a);

/* The record is not in the log: undo all. */
void smtpd__spool_add_cancel(struct smtpd_spool *s, struct smtpd_addition *a);

#endif
