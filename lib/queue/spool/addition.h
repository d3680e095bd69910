/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_QUEUE_SPOOL_ADDITION_H
#define SMTPD_QUEUE_SPOOL_ADDITION_H

/* A new message on its way into the log: begun, appended by the caller, and
 * finished or cancelled. */

#include <sys/uio.h>

#include "queue/spool/add.h"
#include "queue/spool/core.h"

struct smtpd_addition {
	struct smtpd_queued_message *message;
	struct smtpd_spool_content *content;
	struct smtpd_pack head;
	struct smtpd_pack envelope;
	struct iovec body[2];
	bool published; /* in large/ */
};

/* Do all that may fail but the append.  Return 0, or -1 with errno, and
 * nothing is to be undone.  The content of MAIL is the addition's. */
int smtpd__addition_begin(struct smtpd_spool *s,
    const struct smtpd_spool_mail *mail, struct smtpd_addition *a);

/* Fill in the record to append. */
void smtpd__addition_record(
    const struct smtpd_addition *a, struct smtpd_journal_record *record);

/* RECORD is in the log: the message appears.  Return it with a pin. */
struct smtpd_queued_message *smtpd__addition_finish(struct smtpd_spool *s,
    struct smtpd_addition *a, const struct smtpd_journal_record *record);

/* The record is not in the log: undo all. */
void smtpd__addition_cancel(struct smtpd_spool *s, struct smtpd_addition *a);

#endif
