/* SPDX-License-Identifier: MIT */
#include "queue/spool/clean.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "os/clock.h"
#include "queue/spool/quarantine.h"
#include "queue/spool/relocate.h"
#include "queue/spool/state_change.h"

/* Bytes that are relocated in one step, and messages. */
#define STEP_BYTES    1048576
#define STEP_MESSAGES 1024

/* Messages that are looked at under the mutex at a time. */
#define LOOK_MAX 4096

/* How long to rest when no space can be won, in ms. */
#define REST_MS 30000

/* How often the clock is recorded, in ms. */
#define MARK_MS 600000

/* Messages that are relocated at once. */
struct batch {
	struct smtpd_relocation list[STEP_MESSAGES];
	struct smtpd_journal_record *records; /* of all of them */
	size_t count;
	size_t nrecords;
	uint64_t size;
};

static int
add_id(struct smtpd_spool_cleaning *c, uint64_t id)
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

/* Begin a pass: find the messages whose records are due. */
static int
collect_due(struct smtpd_spool *s)
{
	struct smtpd_spool_cleaning *c = &s->cleaning;
	const struct smtpd_queued_message *e;
	uint64_t id = 0;
	int status = 0;

	c->count = 0;
	c->next = 0;
	c->moved = 0;
	do {
		e = NULL;
		pthread_mutex_lock(&s->mutex);
		for (int i = 0; i < LOOK_MAX && status == 0; i++) {
			e = smtpd__message_table_from(&s->table, id);
			if (e == NULL)
				break;
			id = e->id + 1;
			if (smtpd__journal_is_due_for_relocation(
				s->journal, e->ref))
				status = add_id(c, e->id);
		}
		pthread_mutex_unlock(&s->mutex);
	} while (status == 0 && e != NULL);
	c->under_way = status == 0;
	return status;
}

/* End LOST, which is pinned, as it cannot be read any more. */
static void
abandon_message(struct smtpd_spool *s, struct smtpd_queued_message *lost)
{
	static const char why[] =
	    "it could not be read from the log when it was moved";
	int status = s->settings.lost != NULL
	    ? s->settings.lost(s->settings.user, lost, why)
	    : smtpd__state_change_end(s, lost, why);

	s->cleaning.moved += status == 0;
	smtpd__spool_unpin(s, lost);
}

/* Fill B with what comes next, within the bounds of a step.  A message that
 * cannot be read stops no other: it is left where it is, until the next pass.
 */
static int
fill_batch(struct smtpd_spool *s, struct batch *b)
{
	struct smtpd_spool_cleaning *c = &s->cleaning;
	uint32_t most = s->journal->group_max;

	for (; c->next < c->count && b->count < STEP_MESSAGES &&
	    b->size < STEP_BYTES && b->size < most / 2;
	    c->next++) {
		struct smtpd_relocation *r = &b->list[b->count];
		struct smtpd_queued_message *lost;

		if (smtpd__relocate_begin(s, c->ids[c->next], r, &lost) == 0) {
			if (r->message == NULL)
				continue;
			if (b->count > 0 && b->size + r->size > most) {
				smtpd__relocate_end(s, r, false);
				break;
			}
			b->count++;
			b->nrecords += r->count;
			b->size += r->size;
			continue;
		}
		if (lost != NULL)
			abandon_message(s, lost);
		else if (errno == ENOMEM)
			return -1;
	}
	return 0;
}

/* Relocate the messages of a step.  Return 0, or -1 with errno. */
static int
relocate_some(struct smtpd_spool *s)
{
	struct batch *b = calloc(1, sizeof(*b));
	size_t n = 0;
	int status, error;

	if (b == NULL)
		return -1;
	status = fill_batch(s, b);
	if (status == 0 && b->count > 0) {
		b->records = calloc(b->nrecords, sizeof(*b->records));
		status = b->records != NULL ? 0 : -1;
	}
	for (size_t i = 0; status == 0 && i < b->count; i++)
		for (size_t k = 0; k < b->list[i].count; k++)
			b->records[n++] = b->list[i].records[k];
	/* As one group; each record learns where it is. */
	if (status == 0 && n > 0)
		status = smtpd__journal_append(
		    s->journal, b->records, n, SMTPD_JOURNAL_RELOCATION);
	n = 0;
	for (size_t i = 0; status == 0 && i < b->count; i++)
		for (size_t k = 0; k < b->list[i].count; k++)
			b->list[i].records[k] = b->records[n++];
	if (status == 0) {
		s->cleaning.moved += b->count;
		s->cleaning.copied += b->size;
	}
	error = errno;
	for (size_t i = 0; i < b->count; i++)
		smtpd__relocate_end(s, &b->list[i], status == 0);
	free(b->records);
	free(b);
	errno = error;
	return status;
}

/*
 * Whether others appended as much as was relocated, but for all that the log
 * has, which may be gone through once: histories that are relocated count as
 * dead at once, so it could go on for ever.
 */
static bool
is_worth_more(struct smtpd_spool *s)
{
	uint64_t copied = s->cleaning.copied, others = 0;
	struct smtpd_journal_stats stats;

	smtpd__journal_stats(s->journal, &stats);
	if (stats.bytes > copied)
		others = stats.bytes - copied;
	return stats.segments == 0 || copied <= stats.size + others;
}

/* Relocate a little more.  Return whether to go on at once. */
static bool
continue_pass(struct smtpd_spool *s)
{
	struct smtpd_spool_cleaning *c = &s->cleaning;
	int status = 0;

	if (!c->under_way)
		status = collect_due(s);
	if (status == 0)
		status = relocate_some(s);
	if (status == -1) {
		smtpd__logger_write(&s->settings.logger, SMTPD_LOG_WARNING,
		    "the oldest segment of the log cannot be emptied: %s",
		    strerror(errno));
	} else if (c->next < c->count) {
		return true;
	}
	c->under_way = false;
	/* If nothing was won, somebody may yet have to put a message into the
	 * table, or to end one. */
	if (status == 0 && is_worth_more(s) &&
	    (c->moved > 0 ||
		(smtpd__journal_housekeep(s->journal) & SMTPD_JOURNAL_DUE) ==
		    0))
		return true;
	c->rest = smtpd__clock_ms() + REST_MS;
	return false;
}

bool
smtpd__spool_clean(struct smtpd_spool *s)
{
	struct smtpd_spool_cleaning *c = &s->cleaning;
	struct smtpd_journal_stats stats;
	int todo = smtpd__journal_housekeep(s->journal);
	bool again = (todo & SMTPD_JOURNAL_AGAIN) != 0;
	uint64_t now = smtpd__clock_ms();
	bool due = now - c->marked >= MARK_MS && smtpd__spool_count(s) > 0;

	/* Record the clock now and then, so that it goes on from about here
	 * after a crash; and behind whatever was appended, which a later record
	 * vouches for: without one nobody knows a record that lost a bit from
	 * one that was never whole. */
	smtpd__journal_stats(s->journal, &stats);
	if (due || stats.records != c->vouched) {
		c->marked = now;
		smtpd__spool_clock_record(s);
		smtpd__journal_stats(s->journal, &stats);
		c->vouched = stats.records;
	}
	c->tight = (todo & SMTPD_JOURNAL_TIGHT) != 0;
	if ((todo & SMTPD_JOURNAL_DUE) == 0 || now < c->rest)
		return again;
	/* On a full disk little is better than nothing. */
	if (!c->under_way && !c->tight && !is_worth_more(s))
		return again;
	if (s->foreign != NULL && !c->under_way)
		smtpd__spool_quarantine_foreign(s);
	return continue_pass(s) || again;
}
