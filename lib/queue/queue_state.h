/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_QUEUE_QUEUE_STATE_H
#define SMTPD_QUEUE_QUEUE_STATE_H

/*
 * What the parts of an open queue share.
 *
 * Locks: `lock` guards the schedule and what stands below it here.  It is
 * taken before the spool's own, never while that is held; nothing blocks under
 * it.
 */

#include <smtpd/queue.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "os/disk_space.h"
#include "queue/control/server.h"
#include "queue/delivery/agent.h"
#include "queue/delivery/bounce.h"
#include "queue/delivery/hoststat.h"
#include "queue/delivery/route.h"
#include "queue/delivery/workers.h"
#include "queue/schedule/schedule.h"
#include "queue/spool/spool.h"

struct smtpd_queue_counts {
	atomic_uint_fast64_t attempts;
	atomic_uint_fast64_t sent;
	atomic_uint_fast64_t failed;
	atomic_uint_fast64_t reports;
	atomic_uint_fast64_t dead;
};

struct smtpd_queue {
	struct smtpd_queue_settings settings; /* defaults filled in; but for
	                                       * numbers and the log, what it
	                                       * points to is used at open
	                                       * only */
	char hostname[256];
	char local_domain[256];
	struct smtpd_client_settings client;
	struct smtpd_cancel *cancel;
	struct smtpd_spool *spool;
	struct smtpd_router *router;
	struct smtpd_hoststat *hosts;
	struct smtpd_bounce_limit *limit;
	struct smtpd_agent_settings agent;
	struct smtpd_control_hooks hooks;
	struct smtpd_control *control;
	struct smtpd_disk_space space;
	struct smtpd_queue_counts counts;

	pthread_mutex_t lock;
	pthread_cond_t keep; /* the maintenance waits */
	struct smtpd_schedule *schedule;
	struct smtpd_workers workers;
	pthread_t maintenance;
	bool running;
	bool stopping; /* no attempt begins */
	bool stirred;  /* something was written since the maintenance looked */
	bool unscheduled; /* for want of memory, some jobs are */
	bool resting;     /* the maintenance is to be woken when that happens */
};

/* Log a line. */
void smtpd__queue_log(const struct smtpd_queue *q, enum smtpd_log_level level,
    const char *format, ...) SMTPD_PRINTF(3, 4);

#endif
