/* SPDX-License-Identifier: MIT */
#include "queue/spool/clean.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "os/clock.h"
#include "queue/spool/relocate.h"

/* Bytes that are written anew in one step, and messages. */
#define STEP_BYTES    1048576
#define STEP_MESSAGES 1024

/* Entries that are looked at under the mutex at a time. */
#define LOOK_MAX 4096

/* How long is rested when a segment cannot be emptied, in ms. */
#define REST_MS 30000

/* How often the clock is recorded, in ms. */
#define MARK_MS 600000

/* Messages that are written anew at once. */
struct batch {
	struct smtpd_relocation list[STEP_MESSAGES];
	struct smtpd_disk_entry *records; /* of all of them */
	size_t count;
	size_t nrecords;
	uint64_t size;
};

/* Record the clock now and then, so that it goes on after a crash. */
static void
mark_clock(struct smtpd_spool *s)
{
	uint64_t now = smtpd__clock_ms();

	if (now - s->cleaning.marked < MARK_MS || smtpd__spool_count(s) == 0)
		return;
	s->cleaning.marked = now;
	smtpd__spool_core_mark_clock(s);
}

static int
note(struct smtpd_spool_cleaning *c, uint64_t id)
{
	if (c->count == c->size) {
		size_t size = c->size > 0 ? 2 * c->size : 1024;
		uint64_t *ids = realloc(c->ids, size * sizeof(*ids));

		if (ids == NULL)
			return -1;
		c->ids = ids;
		c->size = size;
	}
	c->ids[c->count++] = id;
	return 0;
}

/* Look at some entries from *ID on.  Return 1 when there are more. */
static int
look(struct smtpd_spool *s, uint32_t segment, uint64_t *id)
{
	struct smtpd_queued_message *e = NULL;
	int status = 0;

	pthread_mutex_lock(&s->mutex);
	for (int i = 0; i < LOOK_MAX && status == 0; i++) {
		e = smtpd__message_table_from(&s->table, *id);
		if (e == NULL)
			break;
		*id = e->id + 1;
		if (e->place.segment == segment)
			status = note(&s->cleaning, e->id);
	}
	pthread_mutex_unlock(&s->mutex);
	return status == -1 ? -1 : e != NULL;
}

/* Find out whose messages are in SEGMENT. */
static int
collect(struct smtpd_spool *s, uint32_t segment)
{
	struct smtpd_spool_cleaning *c = &s->cleaning;
	uint64_t id = 0;
	int status;

	c->segment = segment;
	c->count = 0;
	c->next = 0;
	do {
		status = look(s, segment, &id);
	} while (status == 1);
	return status;
}

/* A message cannot be read any more. */
static void
lose(struct smtpd_spool *s, struct smtpd_queued_message *message)
{
	if (smtpd__spool_quarantine(s, message,
		"damaged in the log, found when it was moved") == 0 &&
	    s->settings.lost != NULL)
		s->settings.lost(s->settings.user, message);
	smtpd__spool_unpin(s, message);
}

/* Fill B with what comes next, within the bounds of a step. */
static int
fill(struct smtpd_spool *s, struct batch *b)
{
	struct smtpd_spool_cleaning *c = &s->cleaning;

	while (c->next < c->count && b->count < STEP_MESSAGES &&
	    b->size < STEP_BYTES && b->size < s->group_max / 2) {
		struct smtpd_relocation *r = &b->list[b->count];
		struct smtpd_queued_message *lost;

		if (smtpd__relocate_begin(
			s, c->ids[c->next], c->segment, r, &lost) == -1) {
			if (lost == NULL)
				return -1;
			lose(s, lost);
		} else if (b->count > 0 && r->message != NULL &&
		    b->size + r->size > s->group_max) {
			smtpd__relocate_end(s, r, false);
			break;
		} else if (r->message != NULL) {
			b->count++;
			b->nrecords += r->count;
			b->size += r->size;
		}
		c->next++;
	}
	return 0;
}

/* Append all records of B as one group; each learns where it is. */
static int
append(struct smtpd_spool *s, struct batch *b)
{
	size_t n = 0;
	int status;

	if (b->count == 0)
		return 0;
	b->records = calloc(b->nrecords, sizeof(*b->records));
	if (b->records == NULL)
		return -1;
	for (size_t i = 0; i < b->count; i++)
		for (size_t k = 0; k < b->list[i].count; k++)
			b->records[n++] = b->list[i].records[k];
	status = smtpd__disk_append(s->log, b->records, b->nrecords, 0);
	n = 0;
	for (size_t i = 0; status == 0 && i < b->count; i++)
		for (size_t k = 0; k < b->list[i].count; k++)
			b->list[i].records[k] = b->records[n++];
	return status;
}

/* Write a step's messages anew.  Return 0, or -1 with errno. */
static int
step(struct smtpd_spool *s)
{
	struct batch *b = calloc(1, sizeof(*b));
	int status, error;

	if (b == NULL)
		return -1;
	status = fill(s, b);
	if (status == 0)
		status = append(s, b);
	error = errno;
	for (size_t i = 0; i < b->count; i++)
		smtpd__relocate_end(s, &b->list[i], status == 0);
	free(b->records);
	free(b);
	errno = error;
	return status;
}

/* Do nothing for a while. */
static bool
rest(struct smtpd_spool *s)
{
	s->cleaning.segment = 0;
	s->cleaning.rest = smtpd__clock_ms() + REST_MS;
	return false;
}

/* Empty the oldest segment a little more.  Return whether to go on at once. */
static bool
empty(struct smtpd_spool *s)
{
	struct smtpd_spool_cleaning *c = &s->cleaning;
	uint32_t segment = smtpd__disk_oldest(s->log);
	int status = 0;

	if (segment != c->segment)
		status = collect(s, segment);
	if (status == 0)
		status = step(s);
	if (status == -1) {
		smtpd__logger_write(&s->settings.logger, SMTPD_LOG_WARNING,
		    "the oldest segment of the log cannot be emptied: %s",
		    strerror(errno));
		return rest(s);
	}
	if (c->next < c->count)
		return true;
	c->segment = 0;
	/* Somebody may yet have to put a message into the table, or to end
	 * one. */
	return smtpd__disk_recycle(s->log) > 0 || rest(s);
}

bool
smtpd__spool_clean(struct smtpd_spool *s)
{
	bool more;

	/* The notes of workers whose next message takes long. */
	smtpd__disk_append_flush(s->log);
	more = smtpd__disk_prepare(s->log) == 1;
	mark_clock(s);
	if (!smtpd__disk_wants_cleaning(s->log) ||
	    smtpd__clock_ms() < s->cleaning.rest)
		return more;
	if (smtpd__disk_recycle(s->log) > 0)
		return true;
	if (s->foreign != NULL && s->cleaning.segment == 0)
		smtpd__spool_quarantine_foreign(s);
	return empty(s) || more;
}
