/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_QUEUE_SCHEDULE_STATE_H
#define SMTPD_QUEUE_SCHEDULE_STATE_H

/*
 * The structs of a schedule, for its own parts only.
 *
 * A ready job is in a queue of its destination, the destination in a ring of
 * its site, the site in the rings of the schedule while it is not suspended and
 * has room for a connection.  So the next job is always at hand.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/heap.h"
#include "base/name_table.h"
#include "base/ring.h"
#include "queue/schedule/schedule.h"
#include "queue/schedule/shaping.h"
#include "queue/schedule/spacing.h"

/* Names of known sites that were freed are remembered in so many places. */
#define SMTPD_KNOWN_SITES 4096

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

	/* The site that is its alone: the same, as long as nobody has looked up
	 * where its mail goes; or one that still has connections; or NULL. */
	struct smtpd_site *own;

	struct smtpd_job_queue ready[SMTPD_KIND_COUNT];
	struct smtpd_ring turn[SMTPD_KIND_COUNT]; /* at its site */
	uint32_t refs; /* 0: kept for the sake of its own site */
	char *domain;  /* in name, behind the key */
	char name[];   /* its key: the domain, and the route if there is one */
};

/* The limits of a site that has some, or took a message. */
struct smtpd_shaping {
	struct smtpd_site *site;
	struct smtpd_shaping_limits limits; /* it was given */
	struct smtpd_spacing messages;      /* at the stricter of both rates */
	struct smtpd_spacing connections;
	struct smtpd_learned_rate rate;
	uint32_t full_seen; /* it closed one after so many transactions */
	uint32_t full_at;   /* it does so; 0: not known */
	uint32_t full_until;
	uint32_t mails_max; /* it announced */
	uint32_t rcpts_max;
	struct smtpd_heap_node looking; /* in the heap of those that are to be
	                                 * looked at; when is 0 in others */
	bool limited;                   /* it was asked for */
	bool held;                      /* no message now */
	bool closed;                    /* no new connection now */
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
	uint64_t since[2]; /* when it came into each of them: by count */

	/* In the heap of suspended sites; when is 0 in others. */
	struct smtpd_heap_node resuming;
	struct smtpd_result *why; /* it failed; NULL: it did not, or there was
	                           * no memory */
	struct smtpd_shaping *shaping; /* NULL: nothing is known */
	uint32_t connections;
	uint32_t limit;
	uint32_t successes;    /* in a row, at this limit */
	uint32_t suspended_at; /* the last time */
	uint32_t failures;     /* in a row; above 0 and not suspended: one
	                     * connection probes it */
	uint8_t streak;        /* fresh jobs while a retry waited */
	bool suspended;
	bool trouble; /* people were told of it, and not yet that it is over */
	bool known;   /* it answered the last time, and was not slow; else it is
	               * a stranger */
	bool asked;   /* a connection was ever given */
	bool probing; /* a connection was given since it was last suspended */
	char name[];
};

/* What is known of sites, as far as it decides about their turn. */
enum smtpd_acquaintance {
	SMTPD_SITE_NEW,   /* a stranger that was never asked */
	SMTPD_SITE_TRIED, /* a stranger that was */
	SMTPD_SITE_KNOWN,
	SMTPD_ACQUAINTANCES,
};

/* Sites that have ready jobs and room, and are not suspended; and those of them
 * that have fresh jobs. */
struct smtpd_turn {
	struct smtpd_ring all;
	struct smtpd_ring fresh;
};

struct smtpd_schedule {
	struct smtpd_schedule_settings settings;
	uint64_t random;
	uint32_t start_limit;    /* of connections of a site, at first */
	uint32_t site_limit;     /* the most that it may have */
	uint32_t retry_limit;    /* of retries at a time, while others wait */
	uint32_t stranger_limit; /* of connections to strangers */

	struct smtpd_name_table destinations;
	struct smtpd_name_table sites; /* those that are shared */
	uint32_t nsites;               /* all */
	uint32_t ntrouble;             /* those in trouble */
	uint32_t fine_at;              /* when one was fine; 0: never */
	uint32_t njobs;                /* later, ready or active */
	uint32_t busy;                 /* workers */
	uint32_t aside;                /* attempts that hold no worker */
	uint32_t strangers;            /* connections to them */
	uint32_t retries; /* active jobs that were tried before, but not those
	                   * aside */

	struct smtpd_turn turns[SMTPD_ACQUAINTANCES];
	uint32_t known[SMTPD_KNOWN_SITES]; /* hashes of names, or 0 */
	uint64_t placed;    /* counts the sites that came into a ring */
	bool served_known;  /* the last site was a known one */
	bool served_newest; /* the last stranger was the newest one */

	struct smtpd_heap later;  /* jobs, by due time */
	struct smtpd_heap limits; /* ready jobs, by when they need attention */
	struct smtpd_heap suspended; /* sites, by when they resume */
	struct smtpd_heap shaped;    /* the same, by when a limit ends */
};

/* Whether the limits of SITE let it have no message now. */
static inline bool
smtpd__state_is_held(const struct smtpd_site *site)
{
	return site->shaping != NULL && site->shaping->held;
}

/* Whether SITE may have a connection more, with a message. */
static inline bool
smtpd__state_has_room(const struct smtpd_site *site)
{
	return !site->suspended && site->connections < site->limit &&
	    (site->shaping == NULL ||
		(!site->shaping->held && !site->shaping->closed));
}

/* The next number of the schedule's chance (splitmix64). */
static inline uint64_t
smtpd__state_random(struct smtpd_schedule *s)
{
	uint64_t z = s->random += 0x9e3779b97f4a7c15U;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
	return z ^ (z >> 31);
}

#endif
