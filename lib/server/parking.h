/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_SERVER_PARKING_H
#define SMTPD_SERVER_PARKING_H

/*
 * Connections that wait for their clients without a thread: until one talks or
 * goes, its time is over, or somebody wakes it.
 *
 * Any thread may call any function; what is parked belongs to nobody until it
 * is taken.
 */

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/heap.h"
#include "base/ring.h"
#include "os/ready_set.h"
#include "transport/wire.h"

/* A connection's place; all zero before it is parked first. */
struct smtpd_place {
	struct smtpd_heap_node due;
	struct smtpd_ring link; /* in the order in which they came, or among
	                         * those that are woken */
	int fd;
	uint64_t since; /* when it was parked */
	bool known;     /* the set has FD */
	bool parked;
	enum smtpd_io_status why; /* it was taken: OK, there is input */
};

struct smtpd_parking {
	struct smtpd_ready_set set;
	pthread_mutex_t lock; /* for what follows */
	struct smtpd_heap due;
	struct smtpd_ring parked; /* the oldest first */
	struct smtpd_ring woken;
	uint64_t rings; /* when the alarm is to ring */
	bool closed;
};

/* Nothing can be parked before it is open: return 0, or an errno value. */
void smtpd__parking_init(struct smtpd_parking *p);
int smtpd__parking_open(struct smtpd_parking *p);
void smtpd__parking_finish(struct smtpd_parking *p);

/* A descriptor that is readable when there is something to take. */
int smtpd__parking_fd(const struct smtpd_parking *p);

/*
 * Park AT, which waits for input on FD until DEADLINE, as smtpd__clock_ms()
 * counts.  From then on any thread may take it.  Return 0, or -1: there is no
 * memory for it, or no place in the system.
 */
int smtpd__parking_add(
    struct smtpd_parking *p, struct smtpd_place *at, int fd, uint64_t deadline);

/* Have AT, which was never parked, taken at once. */
void smtpd__parking_begin(struct smtpd_parking *p, struct smtpd_place *at);

/* Have AT, if it is parked, taken because of WHY.  Return whether it is. */
bool smtpd__parking_wake(
    struct smtpd_parking *p, struct smtpd_place *at, enum smtpd_io_status why);

/* Wake the one that was parked first, because of an interrupt, if that was
 * SILENT_MS ago at least.  NULL: there is none. */
struct smtpd_place *smtpd__parking_wake_oldest(
    struct smtpd_parking *p, uint64_t silent_ms);

/* Take what has something to do: its `why` says what.  NULL: there is nothing
 * at present. */
struct smtpd_place *smtpd__parking_take(struct smtpd_parking *p);

/* AT was taken, but nothing can be done about it now: rest for a moment, and
 * have it taken again. */
void smtpd__parking_put_back(struct smtpd_parking *p, struct smtpd_place *at);

/* AT, which is not parked, will not be parked again: its descriptor may be
 * closed. */
void smtpd__parking_leave(struct smtpd_parking *p, struct smtpd_place *at);

/* Wait until there is something to take; false: it was closed. */
bool smtpd__parking_wait(struct smtpd_parking *p);

/* Let nobody wait any more. */
void smtpd__parking_close(struct smtpd_parking *p);

#endif
