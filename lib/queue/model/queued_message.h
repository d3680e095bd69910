/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_QUEUE_MODEL_QUEUED_MESSAGE_H
#define SMTPD_QUEUE_MODEL_QUEUED_MESSAGE_H

/*
 * A queued message in memory: as little as is needed to know when and where it
 * goes next.  All else is read from the journal when it is tried.
 *
 * Times are those of the queue's clock (spool/clock.h), in seconds.
 */

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/heap.h"
#include "journal/journal.h"

struct smtpd_destination;
struct smtpd_queued_message;

/* No time. */
#define SMTPD_TIME_NONE UINT32_MAX

/* Where a job is in the schedule. */
enum smtpd_job_state {
	SMTPD_JOB_OUT,    /* not in the schedule */
	SMTPD_JOB_LATER,  /* waits for its own time */
	SMTPD_JOB_READY,  /* waits for its turn */
	SMTPD_JOB_ACTIVE, /* a worker has it */
};

/* The recipients of one message at one domain: what is tried together. */
struct smtpd_delivery_job {
	struct smtpd_queued_message *message;
	struct smtpd_destination *destination;

	/* The schedule's. */
	struct smtpd_delivery_job *next;
	struct smtpd_delivery_job *previous;
	struct smtpd_heap_node timer;
	uint8_t state; /* enum smtpd_job_state */
	bool limited;  /* ready: its timer is set */
	bool retrying; /* active: it counts among the retries */

	_Atomic bool finished;          /* all its recipients are */
	_Atomic bool delay_notice_sent; /* the sender was told of the delay */
	_Atomic bool in_doubt;          /* a reply to its dot was lost */

	_Atomic uint16_t attempts;
	_Atomic uint32_t due; /* not to be tried earlier */
	uint32_t first;
	uint32_t count;                  /* of its recipients */
	struct smtpd_record_ref history; /* its last progress record */
};

/* Facts of a message. */
enum smtpd_message_flag {
	SMTPD_MESSAGE_NULL_SENDER = 1 << 0,
	SMTPD_MESSAGE_HELD = 1 << 1,
	SMTPD_MESSAGE_REMOVED = 1 << 2,   /* by the operator, while in use */
	SMTPD_MESSAGE_LARGE = 1 << 3,     /* the content is a file of its own */
	SMTPD_MESSAGE_EIGHT_BIT = 1 << 4, /* it has bytes outside ASCII */
	SMTPD_MESSAGE_UTF8 = 1 << 5,      /* its header or envelope has */
	SMTPD_MESSAGE_AUTOMATIC = 1
	    << 6, /* nobody waits for a notice of delay */
	SMTPD_MESSAGE_UTF8_WANTED = 1 << 7, /* its header has, unsaid */

	/* The spool's own. */
	SMTPD_MESSAGE_PENDING = 1 << 8, /* not on the disk yet */
	SMTPD_MESSAGE_LOCKED = 1 << 9,  /* no record of it may be appended */
	SMTPD_MESSAGE_ENDED = 1 << 10,  /* its record is dead */

	SMTPD_MESSAGE_LONG_LINES = 1 << 11, /* a line of its body may be longer
	                                     * than RFC 5321 has it */
	SMTPD_MESSAGE_REQUIRETLS = 1 << 12,
	SMTPD_MESSAGE_TLS_OPTIONAL = 1 << 13, /* it says "TLS-Required: No" */

	/* Four bits: how often it could not be read, since it last could. */
	SMTPD_MESSAGE_UNREAD_ONCE = 1 << 16,
	SMTPD_MESSAGE_UNREAD = 15 << 16,
};

/* Read without a lock may be what never changes (id, size, arrived, njobs, and
 * of each job message, destination, first and count) and what is atomic. */
struct smtpd_queued_message {
	uint64_t id;
	uint64_t size;               /* octets of the content */
	struct smtpd_record_ref ref; /* its message record */
	uint32_t record_size;
	uint32_t arrived;
	uint16_t njobs;
	uint16_t unfinished; /* of the jobs */
	uint16_t pins;       /* its users besides the spool */
	_Atomic uint32_t flags;

	/* A bit for each recipient; NULL: none of them, or only whole jobs. */
	_Atomic unsigned char *_Atomic finished;
	struct smtpd_delivery_job jobs[];
};

/* Make a message with nothing but its jobs, all zero.  NULL without memory. */
struct smtpd_queued_message *smtpd__queued_message_create(
    uint64_t id, uint32_t njobs);

/* Copy a message, but for what the schedule changes: the jobs of the copy are
 * OUT, and due at SMTPD_TIME_NONE.  The caller holds what guards FROM, and
 * frees the copy and its finished.  NULL without memory. */
struct smtpd_queued_message *smtpd__queued_message_copy(
    const struct smtpd_queued_message *from);

/* Allocate the bits of its recipients, if it has none.  False without
 * memory. */
bool smtpd__queued_message_need_bits(struct smtpd_queued_message *e);

/* Mark recipient number RCPT as finished; there are bits. */
void smtpd__queued_message_finish_rcpt(
    struct smtpd_queued_message *e, uint32_t rcpt);

/* Whether recipient number RCPT needs no more: bit or job. */
bool smtpd__queued_message_is_finished(const struct smtpd_queued_message *e,
    const struct smtpd_delivery_job *job, uint32_t rcpt);

#endif
