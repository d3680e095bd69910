/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_QUEUE_SCHEDULE_STATE_H
#define SMTPD_QUEUE_SCHEDULE_STATE_H

/*
 * What a schedule is made of; only its own parts see it.
 *
 * A ready job is in a queue of its destination, the destination in a ring of
 * its site, the site in the rings of the schedule, as long as it is open and
 * has room for a connection.  So the next job is always at hand.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/heap.h"
#include "base/name_table.h"
#include "base/ring.h"
#include "queue/schedule/schedule.h"

/* Jobs that were never tried, and others. */
enum smtpd_job_kind {
	SMTPD_KIND_FRESH,
	SMTPD_KIND_RETRY,
	SMTPD_KIND_COUNT,
};

/* First in, first out. */
struct smtpd_job_queue {
	struct smtpd_delivery_job *first;
	struct smtpd_delivery_job *last;
};

struct smtpd_destination {
	struct smtpd_named named;
	struct smtpd_site *site;

	/* The site that is its alone: the same, as long as nobody has looked
	 * where its mail goes; or what is left of it; or NULL. */
	struct smtpd_site *own;

	struct smtpd_job_queue ready[SMTPD_KIND_COUNT];
	struct smtpd_ring turn[SMTPD_KIND_COUNT]; /* at its site */
	uint32_t refs; /* 0: kept for the sake of its own site */
	char name[];
};

struct smtpd_site {
	struct smtpd_named named;        /* in a table when it is shared */
	struct smtpd_destination *owner; /* NULL: it is shared */
	uint32_t users;                  /* destinations of a shared site */

	/* Its destinations that have ready jobs of each kind. */
	struct smtpd_ring ready[SMTPD_KIND_COUNT];

	/* In the rings of the schedule. */
	struct smtpd_ring turn;
	struct smtpd_ring fresh_turn;

	/* In the heap of those that are closed; 0 when it is not. */
	struct smtpd_heap_node opening;
	struct smtpd_result *why; /* it failed; NULL: it did not, or no memory
	                           * to tell */
	uint32_t connections;
	uint32_t limit;
	uint32_t successes; /* in a row, at this limit */
	uint32_t failures; /* in a row; above 0 and open: it is to be probed */
	uint8_t streak;    /* fresh jobs while a retry waited */
	bool closed;
	bool probing; /* a connection was given since it was last closed */
	char name[];
};

struct smtpd_schedule {
	struct smtpd_schedule_settings settings;
	uint64_t random;
	uint32_t start_limit; /* of connections of a site, at first */
	uint32_t site_limit;  /* the most that it may have */
	uint32_t retry_limit; /* of retries at a time, while others wait */

	struct smtpd_name_table destinations;
	struct smtpd_name_table sites; /* those that are shared */
	uint32_t nsites;               /* all */
	uint32_t njobs;                /* later, ready or active */
	uint32_t busy;                 /* workers */
	uint32_t retries;              /* active jobs that were tried before */

	/* Sites that have ready jobs, are open, and have room; and those of
	 * them that have fresh ones. */
	struct smtpd_ring turn;
	struct smtpd_ring fresh_turn;

	struct smtpd_heap later;  /* jobs, by due time */
	struct smtpd_heap limits; /* ready jobs, by what ends their patience */
	struct smtpd_heap closed; /* sites */
};

#endif
