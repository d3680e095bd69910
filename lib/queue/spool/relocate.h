/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_QUEUE_SPOOL_RELOCATE_H
#define SMTPD_QUEUE_SPOOL_RELOCATE_H

/* Relocation: a live message is copied to the end of the log, with the last
 * word on each job. */

#include <sys/uio.h>

#include "queue/spool/core.h"

struct smtpd_relocation {
	struct smtpd_queued_message *message; /* pinned and entered alone;
	                                       * NULL: nothing to do */
	struct smtpd_pack *packs;
	struct smtpd_journal_record *records; /* the message, then progress */
	struct iovec *bodies;
	size_t count; /* of records */
	size_t npacks;
	void *memory; /* the record as it was */
	uint64_t size;
};

/* Prepare that of message ID, if its record is due.  Return 0; or -1 with errno
 * and nothing entered: EBADMSG when the message is lost, and then the message
 * is in *LOST, pinned. */
int smtpd__relocate_begin(struct smtpd_spool *s, uint64_t id,
    struct smtpd_relocation *r, struct smtpd_queued_message **lost);

/* It was appended (or not): the message knows, and is left. */
void smtpd__relocate_end(
    struct smtpd_spool *s, struct smtpd_relocation *r, bool appended);

#endif
