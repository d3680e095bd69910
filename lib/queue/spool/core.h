/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_QUEUE_SPOOL_CORE_H
#define SMTPD_QUEUE_SPOOL_CORE_H

/* The spool's own struct, and what all of its parts need: the log line, the
 * clock, the stamp of a record. */

#include <pthread.h>

#include "base/crc32c.h"
#include "base/id.h"
#include "queue/spool/message_table.h"
#include "queue/spool/queue_clock.h"
#include "queue/spool/record.h"
#include "queue/spool/spool.h"

/* Content that is kept in the log. */
#define SMTPD_SPOOL_SMALL_MAX 65536

/* Longest domain. */
#define SMTPD_SPOOL_DOMAIN_MAX 255

struct smtpd_flight;

/* A record that cannot be understood, and is live until it is in
 * quarantine. */
struct smtpd_foreign {
	struct smtpd_disk_place place;
	uint32_t size;
	struct smtpd_foreign *next;
};

/* The segment that is being emptied. */
struct smtpd_spool_cleaning {
	uint32_t segment;
	uint64_t *ids; /* of the messages in it */
	size_t count;
	size_t size;
	size_t next;     /* to be looked at */
	uint64_t rest;   /* do nothing before, in ms */
	uint64_t marked; /* when the clock was last recorded, in ms */
};

struct smtpd_spool {
	struct smtpd_spool_settings settings;
	struct smtpd_crc32c crc;
	struct smtpd_queue_clock clock;
	struct smtpd_disk *log;
	uint32_t group_max; /* bytes of one append */

	/* Descriptors; -1: none. */
	int dir;
	int lock;
	int tmp;
	int large;
	int quarantine;
	int dead;

	_Atomic uint64_t files;   /* made in tmp/ */
	_Atomic uint64_t damages; /* in the log */

	struct smtpd_stamp last; /* while the log is read */
	struct smtpd_foreign *foreign;
	struct smtpd_spool_cleaning cleaning;

	pthread_mutex_t mutex; /* of all that follows, and the entries */
	pthread_cond_t landed; /* somebody has left an message */
	struct smtpd_message_table table;
	uint64_t count; /* of those in it that are not pending */
	uint64_t last_id;
	struct smtpd_flight *flights;
};

/* The present moment, for a record. */
struct smtpd_stamp smtpd__spool_core_stamp(const struct smtpd_spool *s);

/* Record the clock, and the last id. */
void smtpd__spool_core_mark_clock(struct smtpd_spool *s);

#endif
