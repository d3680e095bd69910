/* SPDX-License-Identifier: MIT */
#include "server/parking.h"

#include <poll.h>
#include <string.h>

#include "base/container.h"
#include "os/clock.h"

/* The heap counts time in steps of so many milliseconds. */
#define STEP_MS 100

/* How long to rest when there is no memory and no thread. */
#define PUT_BACK_MS 100

static struct smtpd_place *
place_of(struct smtpd_ring *link)
{
	return SMTPD_CONTAINER_OF(link, struct smtpd_place, link);
}

void
smtpd__parking_init(struct smtpd_parking *p)
{
	memset(p, 0, sizeof(*p));
	p->set.set = p->set.alarm = -1;
	pthread_mutex_init(&p->lock, NULL);
	smtpd__ring_init(&p->parked);
	smtpd__ring_init(&p->woken);
	p->rings = SMTPD_NEVER;
}

int
smtpd__parking_open(struct smtpd_parking *p)
{
	return smtpd__ready_set_init(&p->set);
}

void
smtpd__parking_finish(struct smtpd_parking *p)
{
	smtpd__ready_set_finish(&p->set);
	smtpd__heap_finish(&p->due);
	pthread_mutex_destroy(&p->lock);
}

int
smtpd__parking_fd(const struct smtpd_parking *p)
{
	return p->set.set;
}

/* Ring the alarm for what is next, if that is earlier than it would. */
static void
set_alarm(struct smtpd_parking *p)
{
	const struct smtpd_heap_node *first = smtpd__heap_top(&p->due);
	uint64_t when = SMTPD_NEVER;

	if (first != NULL)
		when = (uint64_t)first->when * STEP_MS;
	if (p->closed || !smtpd__ring_is_empty(&p->woken))
		when = smtpd__clock_ms();
	if (when >= p->rings)
		return;
	p->rings = when;
	smtpd__ready_set_ring(&p->set, when);
}

int
smtpd__parking_add(
    struct smtpd_parking *p, struct smtpd_place *at, int fd, uint64_t deadline)
{
	uint64_t steps = deadline / STEP_MS + 1;
	int status = -1;

	pthread_mutex_lock(&p->lock);
	if (smtpd__heap_fit(&p->due, p->due.count + 1) == 0 &&
	    smtpd__ready_set_wait_for(&p->set, fd, at, at->known) == 0) {
		at->fd = fd;
		at->since = smtpd__clock_ms();
		at->known = at->parked = true;
		smtpd__heap_push(&p->due, &at->due,
		    steps < UINT32_MAX ? (uint32_t)steps : UINT32_MAX);
		smtpd__ring_append(&p->parked, &at->link);
		set_alarm(p);
		status = 0;
	}
	pthread_mutex_unlock(&p->lock);
	return status;
}

/* AT is parked no longer, because of WHY; a descriptor that was not taken is
 * not waited for any more. */
static void
take_place(
    struct smtpd_parking *p, struct smtpd_place *at, enum smtpd_io_status why)
{
	smtpd__heap_remove(&p->due, &at->due);
	smtpd__ring_remove(&at->link);
	at->parked = false;
	at->why = why;
	if (why == SMTPD_IO_OK)
		return;
	smtpd__ready_set_remove(&p->set, at->fd);
	at->known = false;
}

static void
wake_parked(
    struct smtpd_parking *p, struct smtpd_place *at, enum smtpd_io_status why)
{
	take_place(p, at, why);
	smtpd__ring_append(&p->woken, &at->link);
	set_alarm(p);
}

bool
smtpd__parking_wake(
    struct smtpd_parking *p, struct smtpd_place *at, enum smtpd_io_status why)
{
	bool parked;

	pthread_mutex_lock(&p->lock);
	parked = at->parked;
	if (parked)
		wake_parked(p, at, why);
	pthread_mutex_unlock(&p->lock);
	return parked;
}

struct smtpd_place *
smtpd__parking_wake_oldest(struct smtpd_parking *p, uint64_t silent_ms)
{
	struct smtpd_place *at = NULL;

	pthread_mutex_lock(&p->lock);
	if (!smtpd__ring_is_empty(&p->parked)) {
		at = place_of(p->parked.next);
		if (at->since + silent_ms > smtpd__clock_ms())
			at = NULL;
	}
	if (at != NULL)
		wake_parked(p, at, SMTPD_IO_INTERRUPTED);
	pthread_mutex_unlock(&p->lock);
	return at;
}

/* The first whose time is over; NULL: there is none. */
static struct smtpd_place *
find_due(struct smtpd_parking *p)
{
	struct smtpd_heap_node *first = smtpd__heap_top(&p->due);

	if (first == NULL ||
	    (uint64_t)first->when * STEP_MS > smtpd__clock_ms())
		return NULL;
	return SMTPD_CONTAINER_OF(first, struct smtpd_place, due);
}

static struct smtpd_place *
take_next(struct smtpd_parking *p)
{
	struct smtpd_place *at;
	bool rung;

	if (!smtpd__ring_is_empty(&p->woken)) {
		at = place_of(p->woken.next);
		smtpd__ring_remove(&at->link);
		return at;
	}
	at = smtpd__ready_set_take(&p->set, &rung);
	if (at != NULL) {
		take_place(p, at, SMTPD_IO_OK);
		return at;
	}
	if (rung)
		p->rings = SMTPD_NEVER;
	at = find_due(p);
	if (at != NULL)
		take_place(p, at, SMTPD_IO_TIMEOUT);
	return at;
}

struct smtpd_place *
smtpd__parking_take(struct smtpd_parking *p)
{
	struct smtpd_place *at;

	pthread_mutex_lock(&p->lock);
	at = take_next(p);
	set_alarm(p);
	pthread_mutex_unlock(&p->lock);
	return at;
}

void
smtpd__parking_begin(struct smtpd_parking *p, struct smtpd_place *at)
{
	pthread_mutex_lock(&p->lock);
	smtpd__ring_append(&p->woken, &at->link);
	set_alarm(p);
	pthread_mutex_unlock(&p->lock);
}

void
smtpd__parking_put_back(struct smtpd_parking *p, struct smtpd_place *at)
{
	poll(NULL, 0, PUT_BACK_MS);
	smtpd__parking_begin(p, at);
}

void
smtpd__parking_leave(struct smtpd_parking *p, struct smtpd_place *at)
{
	pthread_mutex_lock(&p->lock);
	if (at->known)
		smtpd__ready_set_remove(&p->set, at->fd);
	at->known = false;
	pthread_mutex_unlock(&p->lock);
}

bool
smtpd__parking_wait(struct smtpd_parking *p)
{
	struct pollfd fd = { .fd = p->set.set, .events = POLLIN };
	bool closed;

	poll(&fd, 1, -1);
	pthread_mutex_lock(&p->lock);
	closed = p->closed;
	pthread_mutex_unlock(&p->lock);
	return !closed;
}

void
smtpd__parking_close(struct smtpd_parking *p)
{
	pthread_mutex_lock(&p->lock);
	p->closed = true;
	set_alarm(p);
	pthread_mutex_unlock(&p->lock);
}
