/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_QUEUE_SPOOL_CORE_H
#define SMTPD_QUEUE_SPOOL_CORE_H

/* The spool's own struct, for its parts. */

#include <pthread.h>

#include "base/crc32c.h"
#include "base/id.h"
#include "journal/content.h"
#include "journal/journal.h"
#include "queue/spool/clock.h"
#include "queue/spool/message_table.h"
#include "queue/spool/record.h"
#include "queue/spool/spool.h"

/* Content that is kept in its record. */
#define SMTPD_SPOOL_SMALL_MAX 65536

/* Longest domain. */
#define SMTPD_SPOOL_DOMAIN_MAX 255

struct smtpd_flight;
struct smtpd_begun_step;

/* A record that cannot be understood, and is live until it is in
 * quarantine. */
struct smtpd_foreign {
	struct smtpd_record_ref ref;
	uint32_t size;
	struct smtpd_foreign *next;
};

/* A pass that relocates all messages whose records are due. */
struct smtpd_spool_cleaning {
	bool under_way;
	uint64_t *ids; /* of these messages */
	size_t count;
	size_t size;
	size_t next;      /* to be looked at */
	size_t moved;     /* so far */
	uint64_t rest;    /* do nothing before, in ms */
	uint64_t marked;  /* when the clock was last recorded, in ms */
	uint64_t vouched; /* how many records had been appended then */
	uint64_t copied;  /* bytes that were relocated */
	bool tight;       /* no more space can be had: be brief */
};

struct smtpd_spool {
	struct smtpd_spool_settings settings;
	struct smtpd_crc32c crc;
	uint64_t clock_base;    /* what its clock showed */
	uint64_t clock_boot_ms; /* when */
	uint32_t closed_s;      /* how long it was closed before that */
	struct smtpd_journal *journal;
	_Atomic uint64_t damages; /* in the journal */

	struct smtpd_stamp last; /* in the journal; wall_ms 0: there is none */
	struct smtpd_foreign *foreign;
	struct smtpd_spool_cleaning cleaning;

	pthread_mutex_t mutex; /* of all that follows, and the messages */
	pthread_cond_t landed; /* a thread has left a message */
	struct smtpd_message_table table;
	uint64_t count; /* of those in it that are not pending */
	struct smtpd_flight *flights;
	struct smtpd_begun_step *begun; /* the oldest first */
	struct smtpd_begun_step *last_begun;
};

#endif
