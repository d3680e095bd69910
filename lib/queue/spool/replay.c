/* SPDX-License-Identifier: MIT */
#include "queue/spool/replay.h"

#include <errno.h>
#include <stdlib.h>

#include "os/id_source.h"
#include "queue/spool/messages.h"

/* No job is put off for longer, in seconds: what says so is wrong. */
#define DELAY_MAX 86400

/* Ids that are counted on from: no nonsense keeps new ones from rising. */
#define LAST_ID_MAX   (SMTPD_RECORD_ID_MAX / 2)
#define LAST_WALL_MAX (LAST_ID_MAX >> 20)

/* Keep in mind the time of a record, and the id in it. */
static void
note_record(struct smtpd_spool *s, const struct smtpd_stamp *stamp, uint64_t id)
{
	s->last.wall_ms = stamp->wall_ms;
	if (stamp->clock > s->last.clock)
		s->last.clock = stamp->clock;
	if (id <= LAST_ID_MAX)
		smtpd__id_source_note(id);
	if (stamp->wall_ms <= LAST_WALL_MAX)
		smtpd__id_source_note_time(stamp->wall_ms);
}

/* Keep in mind a record that says nothing to us, for quarantine. */
static int
keep_foreign(struct smtpd_spool *s, const struct smtpd_journal_record *record)
{
	struct smtpd_foreign *f = calloc(1, sizeof(*f));

	if (f == NULL)
		return -1;
	f->ref = record->ref;
	f->size = record->size;
	f->next = s->foreign;
	s->foreign = f;
	s->damages++;
	return 1;
}

/* Fill in the jobs of E with the bits of those that have any, and bind their
 * destinations. */
static int
fill_jobs(struct smtpd_spool *s, const struct smtpd_record_message *m,
    struct smtpd_queued_message *e)
{
	struct smtpd_unpack jobs = m->jobs;
	struct smtpd_record_job from;
	uint32_t first = 0;

	for (uint32_t i = 0; i < e->njobs; i++) {
		struct smtpd_delivery_job *job = &e->jobs[i];

		smtpd__record_get_job(&jobs, &from);
		job->first = first;
		job->count = from.count;
		job->due = from.due;
		job->attempts = from.attempts;
		job->delay_notice_sent =
		    (from.flags & SMTPD_RECORD_NOTICE_GIVEN) != 0;
		job->in_doubt = (from.flags & SMTPD_RECORD_UNSURE) != 0;
		job->finished = (from.flags & SMTPD_RECORD_FINISHED) != 0;
		if (job->finished)
			e->unfinished--;
		if (!smtpd__spool_messages_bind_destination(
			s, job, from.domain, from.domain_len, NULL))
			return -1;
		first += from.count;
	}
	/* The room for bits is that of all jobs. */
	jobs = m->jobs;
	for (uint32_t i = 0; i < e->njobs; i++) {
		smtpd__record_get_job(&jobs, &from);
		if (from.bits == NULL)
			continue;
		if (!smtpd__queued_message_need_bits(e))
			return -1;
		for (uint32_t k = 0; k < from.count; k++)
			if ((from.bits[k / 8] & 1u << k % 8) != 0)
				smtpd__queued_message_finish_rcpt(
				    e, e->jobs[i].first + k);
	}
	return 0;
}

/* The message of a message record.  NULL without memory. */
static struct smtpd_queued_message *
make_message(struct smtpd_spool *s, const struct smtpd_journal_record *record,
    const struct smtpd_record_message *m)
{
	struct smtpd_queued_message *e =
	    smtpd__queued_message_create(m->id, m->njobs);

	if (e == NULL)
		return NULL;
	e->size = m->size;
	e->arrived = m->arrived;
	e->flags = m->flags;
	e->ref = record->ref;
	e->record_size = record->size;
	if (fill_jobs(s, m, e) == 0)
		return e;
	smtpd__spool_messages_free(s, e);
	errno = ENOMEM;
	return NULL;
}

/* End a message, which is finished or stands anew further on. */
static void
drop_message(struct smtpd_spool *s, struct smtpd_queued_message *e)
{
	smtpd__spool_messages_end(s, e);
	smtpd__journal_release(s->journal, e->id, e->ref, e->record_size);
	smtpd__spool_messages_free(s, e);
}

static int
replay_message(struct smtpd_spool *s, const struct smtpd_journal_record *record)
{
	struct smtpd_record_message m;
	struct smtpd_queued_message *e, *old;

	if (!smtpd__record_get_message(record->head, record->head_len, &m))
		return keep_foreign(s, record);
	note_record(s, &m.stamp, m.id);
	old = smtpd__message_table_find(&s->table, m.id);
	if (old != NULL)
		drop_message(s, old);
	e = make_message(s, record, &m);
	if (e == NULL)
		return -1;
	if (e->unfinished == 0) {
		smtpd__spool_messages_free(s, e);
		return 0;
	}
	if (smtpd__message_table_insert(&s->table, e)) {
		s->count++;
		return 1;
	}
	smtpd__spool_messages_free(s, e);
	errno = ENOMEM;
	return -1;
}

static int
replay_progress(
    struct smtpd_spool *s, const struct smtpd_journal_record *record)
{
	struct smtpd_record_progress p;
	struct smtpd_queued_message *e;
	struct smtpd_delivery_job *job;

	if (!smtpd__record_get_progress(record->head, record->head_len, &p))
		return keep_foreign(s, record);
	note_record(s, &p.stamp, p.id);
	e = smtpd__message_table_find(&s->table, p.id);
	if (e == NULL || p.job >= e->njobs)
		return 0;
	job = &e->jobs[p.job];
	if (job->finished) {
		job->history = record->ref;
		return 0;
	}
	if (p.nfinished > 0 && !smtpd__queued_message_need_bits(e))
		return -1;
	for (uint32_t i = 0; i < p.nfinished; i++) {
		uint32_t rcpt = smtpd__pack_get_u32(&p.finished);

		/* A number outside of the job is nonsense. */
		if (rcpt - job->first < job->count)
			smtpd__queued_message_finish_rcpt(e, rcpt);
	}
	smtpd__spool_messages_apply(job, &p, record->ref);
	if (e->unfinished == 0)
		drop_message(s, e);
	return 0;
}

static int
replay_state(struct smtpd_spool *s, const struct smtpd_journal_record *record)
{
	struct smtpd_record_state state;
	struct smtpd_queued_message *e;

	if (!smtpd__record_get_state(record->head, record->head_len, &state))
		return keep_foreign(s, record);
	note_record(s, &state.stamp, state.id);
	e = smtpd__message_table_find(&s->table, state.id);
	if (e == NULL)
		return 0;
	if (state.change == SMTPD_RECORD_HELD)
		e->flags |= SMTPD_MESSAGE_HELD;
	else if (state.change == SMTPD_RECORD_RELEASED)
		e->flags &= (uint32_t)~SMTPD_MESSAGE_HELD;
	else
		drop_message(s, e);
	return 0;
}

int
smtpd__spool_replay(void *user, const struct smtpd_journal_record *record)
{
	struct smtpd_spool *s = user;
	struct smtpd_record_clock clock;

	switch (record->type) {
	case SMTPD_RECORD_MESSAGE:
		return replay_message(s, record);
	case SMTPD_RECORD_PROGRESS:
		return replay_progress(s, record);
	case SMTPD_RECORD_STATE:
		return replay_state(s, record);
	case SMTPD_RECORD_CLOCK:
		if (!smtpd__record_get_clock(
			record->head, record->head_len, &clock))
			return keep_foreign(s, record);
		note_record(s, &clock.stamp, clock.last_id);
		return 0;
	default:
		return keep_foreign(s, record);
	}
}

void
smtpd__spool_replay_finish(struct smtpd_spool *s)
{
	struct smtpd_queued_message *e;
	uint32_t now;

	smtpd__spool_clock_start(s);
	now = smtpd__spool_clock_now(s);
	for (uint64_t id = 0;
	    (e = smtpd__message_table_from(&s->table, id)) != NULL;
	    id = e->id + 1) {
		if (e->arrived > now)
			e->arrived = now;
		for (uint32_t i = 0; i < e->njobs; i++) {
			uint32_t due = e->jobs[i].due;

			if (due > now + DELAY_MAX)
				due = now + DELAY_MAX;
			e->jobs[i].due =
			    due > s->closed_s ? due - s->closed_s : 0;
		}
	}
}

void
smtpd__spool_replay_forget(struct smtpd_spool *s)
{
	struct smtpd_queued_message *e;

	while ((e = smtpd__message_table_take(&s->table)) != NULL)
		smtpd__spool_messages_free(s, e);
	while (s->foreign != NULL) {
		struct smtpd_foreign *next = s->foreign->next;

		free(s->foreign);
		s->foreign = next;
	}
	s->count = 0;
	s->damages = 0;
	s->last = (struct smtpd_stamp){ 0 };
}
