/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_QUEUE_SUBMIT_H
#define SMTPD_QUEUE_SUBMIT_H

/*
 * Submission: a message comes in piece by piece (smtpd_queue_begin(),
 * _write()), its header is edited on the way into a content of the spool, and
 * smtpd_queue_commit() queues all of it in one step.
 */

#include <smtpd/queue.h>

#include "base/arena.h"
#include "base/id.h"
#include "base/sizes.h"
#include "grammar/date.h"
#include "grammar/header_edit.h"
#include "grammar/mime_scan.h"
#include "queue/delivery/sign.h"
#include "queue/queue_state.h"

struct smtpd_queue_message {
	struct smtpd_queue *queue;
	unsigned fix; /* of enum smtpd_queue_fix */
	struct smtpd_spool_mail mail;
	struct smtpd_arena arena; /* what mail points to */
	char date[SMTPD_DATE_MAX];
	char message_id[SMTPD_ID_SIZE + sizeof("<@>") + SMTPD_HOSTNAME_SIZE];
	struct smtpd_header_edit edit; /* writes to the next */
	struct smtpd_sign sign;        /* and this to the content of mail */

	/* The parts of a message that may need SMTPUTF8, NULL for others; and
	 * whether the header of one has bytes outside ASCII. */
	struct smtpd_mime_scan *parts;
	bool eight_bit_part;
};

/* The address TEXT, of the sender or of a recipient, with the domain that it
 * gets, in BUF of SIZE bytes where it is another; NULL where it does not
 * fit. */
const char *smtpd__submit_complete(const struct smtpd_queue *q,
    const char *text, bool sender, char *buf, size_t size);

/* As smtpd_queue_commit(), but call QUEUED with USER when M is durable, and
 * before it is tried. */
int smtpd__submit_commit(struct smtpd_queue_message *m,
    char id[SMTPD_QUEUE_ID_SIZE], void (*queued)(void *user), void *user);

#endif
