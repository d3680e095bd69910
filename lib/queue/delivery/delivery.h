/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_QUEUE_DELIVERY_DELIVERY_H
#define SMTPD_QUEUE_DELIVERY_DELIVERY_H

/*
 * Getting queued mail delivered, from the schedule to the record of what came
 * of it.  The parts, each of which calls only those before it:
 *
 *	worker_pool	the threads that wait for work
 *	trouble		what concerns more than one message
 *	dispatch	jobs into the schedule and out of it, and who is woken
 *	late_sync	the thread that makes durable what workers recorded
 *	dead_letter	a report that nobody takes
 *	report		what the sender is told
 *	gather		failures that are reported together
 *	disposition	the end of an attempt: results, report, next time
 *	opened_job	a message that was read, to be tried
 *	attempt		one attempt: message, route, site, agent, disposition
 *	workers		the loop of each thread
 *	maintenance	the thread that does what time brings
 */

#include <smtpd/queue.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/logger.h"
#include "base/sizes.h"
#include "policy/sts.h"
#include "policy/sts_source.h"
#include "policy/tlsrpt_thread.h"
#include "queue/delivery/agent.h"
#include "queue/delivery/gather.h"
#include "queue/delivery/hoststat.h"
#include "queue/delivery/route.h"
#include "queue/delivery/sign.h"
#include "queue/delivery/source_copy.h"
#include "queue/delivery/worker_pool.h"
#include "queue/schedule/schedule.h"
#include "queue/spool/spool.h"

struct smtpd_delivery_counts {
	atomic_uint_fast64_t attempts;
	atomic_uint_fast64_t sent;
	atomic_uint_fast64_t failed;
	atomic_uint_fast64_t reports;
	atomic_uint_fast64_t dead_letters;
};

/* What people were told of (trouble.h). */
struct smtpd_delivery_trouble {
	atomic_bool all;           /* every site is in trouble */
	atomic_bool dnssec_untold; /* whether there is DANE, where it is
	                            * wanted */

	/* Under the lock; the times are those of smtpd__clock_ms(). */
	bool dns_silent;
	uint64_t dns_answered; /* when it did the last time */
	uint64_t dns_again;    /* when its silence may be told again */
};

/* The thread of late_sync.h; under the lock, but for waits. */
struct smtpd_late_sync {
	pthread_t thread;
	bool running;
	bool stopping;
	atomic_bool waits;     /* for something to be recorded */
	pthread_cond_t wake;   /* it was, or the thread is to stop */
	pthread_cond_t synced; /* all that was recorded */
};

/*
 * What the parts share.  The lock guards the schedule and all below it here.
 * It is taken before the spool's own, never while that is held; nothing blocks
 * under it.
 */
struct smtpd_delivery {
	struct smtpd_queue_settings settings; /* defaults applied; pointers in
	                                       * it are valid during
	                                       * smtpd_queue_open() only */
	char hostname[SMTPD_HOSTNAME_SIZE];
	char organization[SMTPD_HOSTNAME_SIZE]; /* that reports about TLS */
	char contact[SMTPD_MAILBOX_SIZE];       /* come from, and whom to ask */
	struct smtpd_client_settings client;
	struct smtpd_source_copy sources; /* of client */
	struct smtpd_agent_settings agent;
	struct smtpd_logger logger;
	struct smtpd_cancel *cancel; /* ends all attempts but those that wait
	                              * for the reply to a message's end, */
	struct smtpd_cancel *dot_cancel; /* which this ends */
	struct smtpd_spool *spool;
	struct smtpd_router *router;
	struct smtpd_sts_source *sts_source;
	struct smtpd_sts *sts;       /* NULL: no policies of domains */
	struct smtpd_tlsrpt *tlsrpt; /* NULL: nothing is counted of TLS */
	struct smtpd_tlsrpt_thread tlsrpt_thread;
	struct smtpd_hoststat *hoststat;
	struct smtpd_delivery_counts counts;
	struct smtpd_delivery_trouble trouble;
	struct smtpd_signing signing; /* has a lock of its own, under which
	                               * nothing else is taken */

	pthread_mutex_t lock;
	struct smtpd_schedule *schedule;
	struct smtpd_gather gather;
	uint64_t postmaster_told; /* as smtpd__clock_ms(); 0: not yet */
	struct smtpd_worker_pool pool;
	uint32_t aside;      /* workers that may be set aside */
	uint64_t look_again; /* when a worker may be set aside, at the earliest,
	                      * as smtpd__clock_ms() */
	bool running;
	bool stopping;    /* no attempt begins */
	bool unscheduled; /* some jobs are, for want of memory */

	struct smtpd_late_sync late_sync;

	pthread_t maintenance;
	pthread_cond_t wake_maintenance;
	bool written; /* something was, since the maintenance looked */
	bool maintenance_waits; /* and is to be woken when that happens */
};

#endif
