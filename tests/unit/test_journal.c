/* SPDX-License-Identifier: MIT */
/* What each engine of a journal must do: the same cases run against the one on
 * disk and against one in memory, alone and below a spool. */
#include "journal/journal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "journal/content.h"
#include "journal/disk/engine.h"
#include "memory_engine.h"
#include "queue/spool/spool.h"

#include "test.h"

#define SEGMENT 1048576u

struct seen {
	struct smtpd_journal_record record; /* but for head and body */
	char head[32];
};

struct case_state {
	const struct smtpd_journal_engine *engine;
	char path[64];
	struct smtpd_journal_settings settings;
	struct smtpd_journal *journal;
	struct smtpd_spool *spool;
	struct seen seen[512]; /* by the last replay */
	size_t count;
	uint64_t ids[16]; /* by the last smtpd__content_each() */
	size_t nids;
};

static int
setup(void **state, const struct smtpd_journal_engine *engine)
{
	struct case_state *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return -1;
	c->engine = engine;
	c->settings.segment_size = SEGMENT;
	snprintf(c->path, sizeof(c->path), "/tmp/test_journal.XXXXXX");
	memory_engine_reset();
	*state = c;
	return mkdtemp(c->path) != NULL ? 0 : -1;
}

static int
setup_disk(void **state)
{
	return setup(state, &smtpd__disk_engine);
}

static int
setup_memory(void **state)
{
	return setup(state, &memory_engine);
}

static int
teardown(void **state)
{
	struct case_state *c = *state;
	char command[96];
	int status;

	smtpd__spool_close(c->spool);
	smtpd__journal_close(c->journal);
	snprintf(command, sizeof(command), "rm -rf %s", c->path);
	status = system(command);
	memory_engine_reset();
	free(c);
	return status;
}

/* Records whose head begins with "dead" are not live. */
static int
note_record(void *user, const struct smtpd_journal_record *record)
{
	struct case_state *c = user;
	struct seen *s = &c->seen[c->count++];

	assert_true(c->count <= COUNT(c->seen));
	assert_true(record->head_len < sizeof(s->head));
	s->record = *record;
	memcpy(s->head, record->head, record->head_len);
	s->head[record->head_len] = '\0';
	return strncmp(s->head, "dead", 4) != 0;
}

static void
open_journal(struct case_state *c)
{
	char error[256];

	c->count = 0;
	c->journal = smtpd__journal_open(
	    c->engine, c->path, &c->settings, error, sizeof(error));
	if (c->journal == NULL ||
	    smtpd__journal_replay(
		c->journal, note_record, c, error, sizeof(error)) == -1)
		fail_msg("%s", error);
}

/* A kill; of the memory engine a power cut. */
static void
reopen_journal(struct case_state *c)
{
	smtpd__journal_close(c->journal);
	open_journal(c);
}

static struct smtpd_journal_record
make_record(const char *head, const struct iovec *body)
{
	return (struct smtpd_journal_record){
		.subject = 7,
		.type = 3,
		.live = true,
		.head = head,
		.head_len = strlen(head),
		.body = body,
		.body_count = body != NULL ? 1 : 0,
	};
}

static struct smtpd_journal_record
append_one(struct case_state *c, const char *head, size_t len)
{
	char *bytes = calloc(1, len + 1);
	const struct iovec body = { bytes, len };
	struct smtpd_journal_record r = make_record(head, &body);

	assert_int_equal(smtpd__journal_append(c->journal, &r, 1, 0), 0);
	free(bytes);
	r.head = NULL;
	r.body = NULL;
	return r;
}

static void
records_come_back_in_order(void **state)
{
	struct case_state *c = *state;
	struct smtpd_journal_record group[3] = { make_record("b", NULL),
		make_record("dead c", NULL), make_record("d", NULL) };
	static const char *const heads[] = { "a", "b", "dead c", "d", "e" };
	struct smtpd_journal_stats stats;
	uint64_t sequence = 0;

	open_journal(c);
	assert_int_equal(c->count, 0);
	append_one(c, "a", 10);
	assert_int_equal(smtpd__journal_append(c->journal, group, 3, 0), 0);
	append_one(c, "e", 5000);
	assert_int_equal(smtpd__journal_append(c->journal, NULL, 0, 0), 0);
	reopen_journal(c);
	assert_int_equal(c->count, 5);
	for (size_t i = 0; i < 5; i++) {
		assert_string_equal(c->seen[i].head, heads[i]);
		assert_int_equal(c->seen[i].record.type, 3);
		assert_true(c->seen[i].record.sequence > sequence);
		assert_true(c->seen[i].record.ref.value != 0);
		sequence = c->seen[i].record.sequence;
	}
	assert_int_equal(c->seen[2].record.ref.value, group[1].ref.value);
	assert_int_equal(c->seen[4].record.body_len, 5000);
	smtpd__journal_stats(c->journal, &stats);
	assert_int_equal(stats.live_records, 4);
	assert_true(append_one(c, "f", 0).sequence > sequence);
}

static void
what_was_appended_is_read(void **state)
{
	struct case_state *c = *state;
	char text[] = "one two three";
	const struct iovec body[3] = { { text, 3 }, { NULL, 0 },
		{ text + 3, 10 } };
	struct smtpd_journal_record out, r = make_record("head", body);
	struct smtpd_journal_raw raw;
	const void *bytes;
	void *memory;

	open_journal(c);
	r.body_count = 3;
	assert_int_equal(smtpd__journal_append(c->journal, &r, 1, 0), 0);
	for (int i = 0; i < 2; i++) {
		memory = smtpd__journal_read(c->journal, r.ref, &out, &bytes);
		assert_non_null(memory);
		assert_int_equal(out.ref.value, r.ref.value);
		assert_int_equal(out.sequence, r.sequence);
		assert_int_equal(out.size, r.size);
		assert_int_equal(out.type, 3);
		assert_int_equal(out.head_len, 4);
		assert_memory_equal(out.head, "head", 4);
		assert_int_equal(out.body_len, 13);
		assert_memory_equal(bytes, text, 13);
		free(memory);
		for (size_t n = 0; n <= 14; n++) {
			memory = smtpd__journal_read_front(
			    c->journal, r.ref, n, &out, &bytes);
			assert_non_null(memory);
			assert_int_equal(out.body_len, 13);
			assert_memory_equal(bytes, text, n < 13 ? n : 13);
			free(memory);
		}
		memory =
		    smtpd__journal_read_raw(c->journal, r.ref, r.size, &raw);
		assert_non_null(memory);
		free(memory);
		reopen_journal(c);
	}
	assert_null(smtpd__journal_read(
	    c->journal, (struct smtpd_record_ref){ 0 }, &out, &bytes));
	assert_int_equal(errno, ENOENT);
}

/* A kill does not lose what was begun; what the memory engine does then is a
 * power cut, which may. */
static void
what_was_begun_survives_a_kill(void **state)
{
	struct case_state *c = *state;
	struct smtpd_journal_record a = make_record("a", NULL);
	struct smtpd_journal_record b = make_record("b", NULL);
	struct smtpd_journal_record out;
	struct smtpd_journal_promise first, second;
	const void *body;
	void *memory;

	open_journal(c);
	assert_int_equal(
	    smtpd__journal_append_begin(c->journal, &a, 1, 0, &first), 0);
	assert_int_equal(smtpd__journal_append_end(c->journal, &first), 0);
	assert_int_equal(
	    smtpd__journal_append_begin(c->journal, &b, 1, 0, &second), 0);
	assert_true(b.sequence > a.sequence);
	assert_true(b.ref.value != a.ref.value);
	memory = smtpd__journal_read(c->journal, b.ref, &out, &body);
	assert_non_null(memory);
	free(memory);
	reopen_journal(c);
	assert_string_equal(c->seen[0].head, "a");
	assert_int_equal(c->count, c->engine == &memory_engine ? 1 : 2);
}

/* Whoever waits has what was begun before made durable too. */
static void
a_commit_includes_what_was_begun(void **state)
{
	struct case_state *c = *state;
	struct smtpd_journal_record r = make_record("a", NULL);
	struct smtpd_journal_stats stats;
	struct smtpd_journal_promise p;

	open_journal(c);
	assert_int_equal(
	    smtpd__journal_append_begin(c->journal, &r, 1, 0, &p), 0);
	append_one(c, "b", 1000);
	assert_int_equal(smtpd__journal_append_end(c->journal, &p), 0);
	smtpd__journal_stats(c->journal, &stats);
	assert_int_equal(stats.syncs, c->engine == &memory_engine ? 2 : 1);
	assert_int_equal(stats.records, 2);
}

/* Those who wait may do so in another order. */
static void
promises_are_kept_in_any_order(void **state)
{
	struct case_state *c = *state;
	struct smtpd_journal_record r[2] = { make_record("a", NULL),
		make_record("b", NULL) };
	struct smtpd_journal_promise p[2];

	open_journal(c);
	for (int i = 0; i < 2; i++)
		assert_int_equal(
		    smtpd__journal_append_begin(c->journal, &r[i], 1, 0, &p[i]),
		    0);
	for (int i = 2; i-- > 0;)
		assert_int_equal(
		    smtpd__journal_append_end(c->journal, &p[i]), 0);
	reopen_journal(c);
	assert_int_equal(c->count, 2);
	assert_string_equal(c->seen[0].head, "a");
}

static void
housekeeping_commits_what_was_begun(void **state)
{
	struct case_state *c = *state;
	struct smtpd_journal_record r = make_record("a", NULL);
	struct smtpd_journal_promise p;

	open_journal(c);
	assert_int_equal(
	    smtpd__journal_append_begin(c->journal, &r, 1, 0, &p), 0);
	smtpd__journal_housekeep(c->journal);
	assert_int_equal(smtpd__journal_append_end(c->journal, &p), 0);
	reopen_journal(c);
	assert_int_equal(c->count, 1);
}

static void
too_large_a_group_is_refused(void **state)
{
	struct case_state *c = *state;
	size_t len = SMTPD_JOURNAL_GROUP_MAX + 1;
	char *bytes = calloc(1, len);
	const struct iovec body = { bytes, len };
	struct smtpd_journal_record r = make_record("a", &body);

	open_journal(c);
	assert_true(c->journal->group_max > 0);
	assert_true(c->journal->group_max <= SMTPD_JOURNAL_GROUP_MAX);
	assert_int_equal(smtpd__journal_append(c->journal, &r, 1, 0), -1);
	assert_int_equal(errno, EFBIG);
	append_one(c, "b", c->journal->group_max - SMTPD_JOURNAL_OVERHEAD - 1);
	reopen_journal(c);
	assert_int_equal(c->count, 1);
	free(bytes);
}

static void
one_process_writes_and_others_read(void **state)
{
	struct case_state *c = *state;
	struct smtpd_journal *writer, *other;
	struct smtpd_journal_record r = make_record("b", NULL);
	char error[256] = "";

	open_journal(c);
	append_one(c, "a", 10);
	writer = c->journal;
	other = smtpd__journal_open(
	    c->engine, c->path, &c->settings, error, sizeof(error));
	assert_null(other);
	assert_int_equal(errno, EBUSY);
	assert_true(error[0] != '\0');
	c->settings.read_only = true;
	open_journal(c);
	assert_int_equal(c->count, 1);
	assert_int_equal(smtpd__journal_append(c->journal, &r, 1, 0), -1);
	assert_int_equal(errno, EROFS);
	assert_int_equal(smtpd__journal_housekeep(c->journal), 0);
	smtpd__journal_close(c->journal);
	c->journal = writer;
}

static int
refuse_record(void *user, const struct smtpd_journal_record *record)
{
	(void)user, (void)record;
	errno = ENOMEM;
	return -1;
}

static void
a_replay_that_is_refused_fails(void **state)
{
	struct case_state *c = *state;
	char error[256] = "";

	open_journal(c);
	append_one(c, "a", 10);
	smtpd__journal_close(c->journal);
	c->journal = smtpd__journal_open(
	    c->engine, c->path, &c->settings, error, sizeof(error));
	assert_non_null(c->journal);
	assert_int_equal(smtpd__journal_replay(c->journal, refuse_record, c,
			     error, sizeof(error)),
	    -1);
	assert_int_equal(errno, ENOMEM);
	assert_true(error[0] != '\0');
}

/* Nothing is said of an append before the store has told what came of it. */
static void
a_commit_of_unknown_result_is_asked_for(void **state)
{
	struct case_state *c = *state;
	struct smtpd_journal_record a = make_record("a", NULL);
	struct smtpd_journal_record b = make_record("b", NULL);
	struct smtpd_journal_promise p;

	open_journal(c);
	memory_engine_break(true);
	assert_int_equal(smtpd__journal_append(c->journal, &a, 1, 0), 0);
	memory_engine_break(false);
	assert_int_equal(
	    smtpd__journal_append_begin(c->journal, &b, 1, 0, &p), 0);
	assert_int_equal(smtpd__journal_append_end(c->journal, &p), -1);
	assert_int_equal(errno, EIO);
	reopen_journal(c);
	assert_int_equal(c->count, 1);
	assert_string_equal(c->seen[0].head, "a");
}

/* Append anew what is due among the live records R, until nothing is.  Return
 * how many that were. */
static size_t
relocate_all(struct case_state *c, struct smtpd_journal_record *r, size_t n)
{
	size_t moved = 0;
	int todo;

	while ((todo = smtpd__journal_housekeep(c->journal)) != 0) {
		if ((todo & SMTPD_JOURNAL_DUE) == 0)
			continue;
		for (size_t i = 0; i < n; i++) {
			struct smtpd_journal_record old = r[i];

			if (!smtpd__journal_is_due_for_relocation(
				c->journal, old.ref))
				continue;
			r[i] = append_one(c, "again", old.body_len);
			smtpd__journal_release(
			    c->journal, old.subject, old.ref, old.size);
			moved++;
		}
	}
	return moved;
}

/* Of many records few live on: these are asked for, and all else goes. */
static void
space_is_won_by_relocation(void **state)
{
	struct case_state *c = *state;
	struct smtpd_journal_record live[4], r;
	struct smtpd_journal_stats stats;
	size_t moved = 0;

	open_journal(c);
	for (size_t i = 0; i < 4; i++)
		live[i] = append_one(c, "first", 100000);
	assert_false(smtpd__journal_is_due_for_relocation(
	    c->journal, (struct smtpd_record_ref){ 0 }));
	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < 60; i++) {
			r = append_one(c, "dead", 100000);
			smtpd__journal_release(
			    c->journal, r.subject, r.ref, r.size);
		}
		moved += relocate_all(c, live, 4);
	}
	assert_true(moved >= 4);
	smtpd__journal_stats(c->journal, &stats);
	assert_int_equal(stats.live_records, 4);
	for (size_t i = 0; i < 4; i++) {
		const void *body;
		void *memory =
		    smtpd__journal_read(c->journal, live[i].ref, &r, &body);

		assert_non_null(memory);
		assert_int_equal(r.body_len, 100000);
		free(memory);
	}
	reopen_journal(c);
	assert_true(c->count < 120);
}

static struct smtpd_content_writer *
write_content(struct case_state *c, const char *text, size_t times)
{
	struct smtpd_content_writer *w = smtpd__content_begin(c->journal);

	assert_non_null(w);
	for (size_t i = 0; i < times; i++)
		assert_int_equal(
		    smtpd__content_write(w, text, strlen(text)), 0);
	return w;
}

static int
note_id(void *user, uint64_t id)
{
	struct case_state *c = user;

	assert_true(c->nids < COUNT(c->ids));
	c->ids[c->nids++] = id;
	return 0;
}

static void
published_contents_stay(void **state)
{
	struct case_state *c = *state;
	struct smtpd_content_writer *forgotten;
	struct smtpd_content_reader *r;
	char buf[16];

	open_journal(c);
	assert_int_equal(
	    smtpd__content_publish(write_content(c, "0123456789", 9000), 77),
	    0);
	forgotten = write_content(c, "x", 5);
	smtpd__content_abandon(forgotten);
	smtpd__content_abandon(NULL);
	reopen_journal(c);
	assert_int_equal(smtpd__content_each(c->journal, note_id, c), 0);
	assert_int_equal(c->nids, 1);
	assert_int_equal(c->ids[0], 77);
	r = smtpd__content_open(c->journal, 77);
	assert_non_null(r);
	assert_int_equal(r->size, 90000);
	assert_int_equal(smtpd__content_read_at(r, 50005, buf, 10), 10);
	assert_memory_equal(buf, "5678901234", 10);
	assert_int_equal(smtpd__content_read_at(r, 89998, buf, 10), 2);
	assert_int_equal(smtpd__content_read_at(r, 90000, buf, 10), 0);
	/* It can be read to its end though it is removed. */
	smtpd__content_remove(c->journal, 77);
	smtpd__content_remove(c->journal, 77);
	assert_int_equal(smtpd__content_read_at(r, 0, buf, 10), 10);
	smtpd__content_close(r);
	assert_null(smtpd__content_open(c->journal, 77));
	assert_int_equal(errno, EBADMSG);
}

/* The beginning can be replaced, and all of it read, until it is published. */
static void
contents_are_overwritten(void **state)
{
	struct case_state *c = *state;
	struct smtpd_content_writer *w;
	struct smtpd_content_reader *r;
	char buf[16];

	open_journal(c);
	w = write_content(c, "0123456789", 2);
	assert_int_equal(smtpd__content_overwrite(w, "abc", 3), 0);
	assert_int_equal(smtpd__content_write(w, "xyz", 3), 0);
	assert_int_equal(smtpd__content_read_back(w, 1, buf, 4), 4);
	assert_memory_equal(buf, "bc34", 4);
	assert_int_equal(smtpd__content_read_back(w, 20, buf, 9), 3);
	assert_memory_equal(buf, "xyz", 3);
	assert_int_equal(smtpd__content_read_back(w, 23, buf, 9), 0);
	assert_int_equal(smtpd__content_publish(w, 79), 0);
	reopen_journal(c);
	r = smtpd__content_open(c->journal, 79);
	assert_non_null(r);
	assert_int_equal(r->size, 23);
	assert_int_equal(smtpd__content_read_at(r, 0, buf, 5), 5);
	assert_memory_equal(buf, "abc34", 5);
	assert_int_equal(smtpd__content_read_at(r, 18, buf, 16), 5);
	assert_memory_equal(buf, "89xyz", 5);
	smtpd__content_close(r);
}

static ssize_t
read_text(const void *user, uint64_t offset, void *buf, size_t len)
{
	const char *text = user;
	size_t left = strlen(text) - (size_t)offset;

	if (len > left)
		len = left;
	memcpy(buf, text + offset, len);
	return (ssize_t)len;
}

static void
what_is_set_aside_stays(void **state)
{
	struct case_state *c = *state;
	struct smtpd_content_kept kept = {
		.kind = SMTPD_CONTENT_QUARANTINE,
		.name = "record-1",
		.why = "it is damaged",
		.read = read_text,
		.user = "bytes",
	};

	open_journal(c);
	assert_int_equal(
	    smtpd__content_count_kept(c->journal, SMTPD_CONTENT_QUARANTINE), 0);
	assert_int_equal(smtpd__content_keep(c->journal, &kept), 0);
	assert_int_equal(smtpd__content_keep(c->journal, &kept), 0);
	assert_int_equal(
	    smtpd__content_count_kept(c->journal, SMTPD_CONTENT_QUARANTINE), 1);
	kept.kind = SMTPD_CONTENT_DEAD_LETTER;
	assert_int_equal(smtpd__content_keep(c->journal, &kept), 0);
	assert_int_equal(
	    smtpd__content_publish(write_content(c, "x", 5), 78), 0);
	assert_int_equal(
	    smtpd__content_keep_large(c->journal, 78, "orphan"), 0);
	assert_int_equal(smtpd__content_keep_large(c->journal, 78, NULL), 0);
	assert_int_equal(
	    smtpd__content_count_kept(c->journal, SMTPD_CONTENT_QUARANTINE), 2);
}

/* --- a spool on top --- */

/* Destinations cost nothing here. */
static struct smtpd_destination *
get_destination(
    void *user, const char *domain, const struct smtpd_spool_addressees *mail)
{
	(void)domain;
	(void)mail;
	return user;
}

static void
open_spool(struct case_state *c)
{
	const struct smtpd_spool_settings settings = {
		.segment_size = SEGMENT,
		.destination = get_destination,
		.user = c,
	};
	char error[256];

	c->spool = smtpd__spool_open(
	    c->engine, c->path, &settings, error, sizeof(error));
	if (c->spool == NULL)
		fail_msg("%s", error);
}

static void
reopen_spool(struct case_state *c)
{
	if (smtpd__spool_progress_sync(c->spool) == -1)
		smtpd__spool_progress_abandon(c->spool);
	smtpd__spool_close(c->spool);
	open_spool(c);
}

static uint64_t
add_message(struct case_state *c, size_t len)
{
	static const struct smtpd_outgoing_rcpt rcpts[] = {
		{ SMTPD_OUTGOING_RCPT_INIT, .address = "r@example.com" },
		{ SMTPD_OUTGOING_RCPT_INIT, .address = "s@example.org" },
	};
	struct smtpd_spool_mail mail = {
		.envelope = {
			SMTPD_OUTGOING_ENVELOPE_INIT,
			.sender = "sender@example.org",
			.rcpts = rcpts,
			.nrcpts = 2,
		},
		.content = smtpd__spool_content_create(c->spool),
	};
	struct smtpd_queued_message *e;
	char *bytes = malloc(len);
	uint64_t id;

	memset(bytes, 'x', len);
	assert_int_equal(
	    smtpd__spool_content_write(mail.content, bytes, len), 0);
	free(bytes);
	assert_int_equal(smtpd__spool_add(c->spool, &mail, &e), 0);
	id = e->id;
	smtpd__spool_unpin(c->spool, e);
	return id;
}

/* Finish a job of message ID; WAIT for the disk, or not. */
static void
finish_job(struct case_state *c, uint64_t id, uint32_t job, bool wait)
{
	struct smtpd_queued_message *report,
	    *e = smtpd__spool_find(c->spool, id);
	struct smtpd_rcpt_progress rcpt = { .rcpt = job, .finished = true };
	struct smtpd_progress p = {
		.rcpts = &rcpt,
		.nrcpts = 1,
		.attempts = 1,
		.history = "it went\n",
		.history_len = 8,
	};

	assert_non_null(e);
	p.job = &e->jobs[job];
	if (!wait)
		assert_int_equal(smtpd__spool_progress_begin(c->spool, &p), 0);
	else
		assert_int_equal(
		    smtpd__spool_progress(c->spool, &p, &report), 0);
	smtpd__spool_unpin(c->spool, e);
}

static bool
has_message(struct case_state *c, uint64_t id, size_t len)
{
	struct smtpd_queued_message *e = smtpd__spool_find(c->spool, id);
	struct smtpd_loaded_message loaded;

	if (e == NULL)
		return false;
	assert_int_equal(smtpd__spool_load(c->spool, e, &loaded), 0);
	assert_string_equal(loaded.envelope.sender, "sender@example.org");
	assert_int_equal(loaded.envelope.nrcpts, 2);
	assert_int_equal(loaded.size, len);
	assert_int_equal(smtpd__loaded_message_check(&loaded), 0);
	smtpd__loaded_message_finish(&loaded);
	smtpd__spool_unpin(c->spool, e);
	return true;
}

static int
count_bytes(void *user, const void *data, size_t len)
{
	size_t *sum = user;

	(void)data;
	*sum += len;
	return 0;
}

static void
a_spool_keeps_its_messages(void **state)
{
	struct case_state *c = *state;
	uint64_t small, large, gone;
	size_t history = 0;
	struct smtpd_queued_message *e;

	open_spool(c);
	small = add_message(c, 1000);
	large = add_message(c, 200000);
	gone = add_message(c, 100000);
	finish_job(c, small, 0, true);
	finish_job(c, gone, 0, true);
	finish_job(c, gone, 1, true);
	reopen_spool(c);
	assert_true(has_message(c, small, 1000));
	assert_true(has_message(c, large, 200000));
	assert_false(has_message(c, gone, 100000));
	e = smtpd__spool_find(c->spool, small);
	assert_true(e->jobs[0].finished);
	assert_false(e->jobs[1].finished);
	assert_int_equal(
	    smtpd__spool_history(c->spool, &e->jobs[0], count_bytes, &history),
	    0);
	assert_int_equal(history, 8);
	assert_int_equal(smtpd__state_change_hold(c->spool, e, true), 0);
	smtpd__spool_unpin(c->spool, e);
	e = smtpd__spool_find(c->spool, large);
	assert_int_equal(smtpd__state_change_end(c->spool, e, NULL), 0);
	smtpd__spool_unpin(c->spool, e);
	reopen_spool(c);
	assert_int_equal(smtpd__spool_count(c->spool), 1);
	e = smtpd__spool_find(c->spool, small);
	assert_true((e->flags & SMTPD_MESSAGE_HELD) != 0);
	smtpd__spool_unpin(c->spool, e);
}

/* What was only begun may be forgotten in a power cut, the end of a job as well
 * as that of a message; after a sync it never is. */
static void
what_was_begun_may_be_forgotten(void **state)
{
	struct case_state *c = *state;
	struct smtpd_queued_message *e;
	struct smtpd_journal_stats stats;
	uint64_t ids[3];

	open_spool(c);
	assert_int_equal(smtpd__spool_progress_since(c->spool), 0);
	for (int i = 0; i < 3; i++)
		ids[i] = add_message(c, 1000);
	finish_job(c, ids[0], 0, false);
	finish_job(c, ids[0], 1, false);
	assert_false(has_message(c, ids[0], 1000));
	assert_true(smtpd__spool_progress_since(c->spool) != 0);
	assert_int_equal(smtpd__spool_progress_sync(c->spool), 0);
	assert_int_equal(smtpd__spool_progress_since(c->spool), 0);
	smtpd__journal_stats(smtpd__spool_journal(c->spool), &stats);
	assert_int_equal(stats.live_records, 2);
	finish_job(c, ids[1], 0, false);
	finish_job(c, ids[2], 0, false);
	finish_job(c, ids[2], 1, false);
	memory_engine_cut();
	reopen_spool(c);
	assert_false(has_message(c, ids[0], 1000));
	assert_true(has_message(c, ids[1], 1000));
	e = smtpd__spool_find(c->spool, ids[1]);
	assert_int_equal(e->jobs[0].finished, c->engine != &memory_engine);
	smtpd__spool_unpin(c->spool, e);
	assert_int_equal(
	    has_message(c, ids[2], 1000), c->engine == &memory_engine);
}

/* What was begun and is lost by the store is appended once more. */
static void
what_was_begun_and_lost_is_appended_again(void **state)
{
	struct case_state *c = *state;
	struct smtpd_queued_message *e;
	size_t history = 0;
	uint64_t id;

	open_spool(c);
	id = add_message(c, 1000);
	finish_job(c, id, 0, false);
	memory_engine_break(false);
	assert_int_equal(smtpd__spool_progress_sync(c->spool), 0);
	e = smtpd__spool_find(c->spool, id);
	assert_int_equal(
	    smtpd__spool_history(c->spool, &e->jobs[0], count_bytes, &history),
	    0);
	assert_int_equal(history, 8);
	smtpd__spool_unpin(c->spool, e);
	memory_engine_cut();
	reopen_spool(c);
	e = smtpd__spool_find(c->spool, id);
	assert_true(e->jobs[0].finished);
	smtpd__spool_unpin(c->spool, e);
}

static void
a_spool_relocates_what_is_due(void **state)
{
	struct case_state *c = *state;
	struct smtpd_journal_stats stats;
	struct smtpd_queued_message *e;
	size_t history = 0;
	uint64_t id;
	uint64_t ref;

	open_spool(c);
	id = add_message(c, 50000);
	finish_job(c, id, 0, true);
	e = smtpd__spool_find(c->spool, id);
	ref = e->ref.value;
	for (int i = 0; i < 150; i++) {
		uint64_t other = add_message(c, 60000);

		finish_job(c, other, 0, true);
		finish_job(c, other, 1, true);
		while (smtpd__spool_clean(c->spool))
			;
	}
	assert_true(e->ref.value != ref);
	smtpd__spool_unpin(c->spool, e);
	smtpd__journal_stats(smtpd__spool_journal(c->spool), &stats);
	assert_int_equal(stats.live_records, 1);
	reopen_spool(c);
	assert_int_equal(smtpd__spool_count(c->spool), 1);
	assert_true(has_message(c, id, 50000));
	e = smtpd__spool_find(c->spool, id);
	assert_true(e->jobs[0].finished);
	assert_int_equal(
	    smtpd__spool_history(c->spool, &e->jobs[0], count_bytes, &history),
	    0);
	assert_int_equal(history, 8);
	smtpd__spool_unpin(c->spool, e);
}

int
main(void)
{
#define CASE(name)                                                  \
	{ "disk_" #name, name, setup_disk, teardown, NULL },        \
	{                                                           \
		"memory_" #name, name, setup_memory, teardown, NULL \
	}
	const struct CMUnitTest tests[] = {
		CASE(records_come_back_in_order),
		CASE(what_was_appended_is_read),
		CASE(what_was_begun_survives_a_kill),
		CASE(a_commit_includes_what_was_begun),
		CASE(promises_are_kept_in_any_order),
		CASE(housekeeping_commits_what_was_begun),
		CASE(too_large_a_group_is_refused),
		CASE(one_process_writes_and_others_read),
		CASE(a_replay_that_is_refused_fails),
		CASE(space_is_won_by_relocation),
		CASE(published_contents_stay),
		CASE(contents_are_overwritten),
		CASE(what_is_set_aside_stays),
		cmocka_unit_test_setup_teardown(
		    a_commit_of_unknown_result_is_asked_for, setup_memory,
		    teardown),
		CASE(a_spool_keeps_its_messages),
		CASE(what_was_begun_may_be_forgotten),
		cmocka_unit_test_setup_teardown(
		    what_was_begun_and_lost_is_appended_again, setup_memory,
		    teardown),
		CASE(a_spool_relocates_what_is_due),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
