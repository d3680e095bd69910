/* SPDX-License-Identifier: MIT */
/* Without memory, and without room on the disk. */
#include "failing.h"
#include "spool_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "test.h"

/* In place of the system's: nothing more can be had. */
static bool disk_full;

int
posix_fallocate(int fd, off_t offset, off_t len)
{
	if (disk_full)
		return ENOSPC;
	return ftruncate(fd, offset + len) == -1 ? errno : 0;
}

/* And what is synced is lost, with this errno; 0: it is not. */
static int sync_error;

int
fdatasync(int fd)
{
	(void)fd;
	errno = sync_error;
	return sync_error == 0 ? 0 : -1;
}

/* The most allocations that anything here makes. */
#define TRIES 2000

static const struct smtpd_outgoing_rcpt two[] = { { .address = "a@x" },
	{ .address = "b@y" }, { .address = "c@y" } };

/* A mail of LEN octets that fails at every allocation in turn. */
static void
add_without_memory(struct fixture *f, size_t len)
{
	char *data = calloc(len, 1);
	struct smtpd_spool_mail mail = {
		.envelope = {
			SMTPD_OUTGOING_ENVELOPE_INIT,
			.sender = "s@z",
			.rcpts = two,
			.nrcpts = 3,
		},
	};
	uint64_t count = smtpd__spool_count(f->spool);
	uint64_t references = f->references;
	struct smtpd_queued_message *e = NULL;
	int status = -1;

	assert_non_null(data);
	for (int n = 0; status == -1; n++) {
		assert_true(n < TRIES);
		failing_after(n);
		mail.content = smtpd__spool_content_create(f->spool);
		if (mail.content != NULL) {
			status =
			    smtpd__spool_content_write(mail.content, data, len);
			if (status == 0)
				status = smtpd__spool_add(f->spool, &mail, &e);
			else
				smtpd__spool_content_destroy(mail.content);
		}
		if (status == -1) {
			assert_int_equal(errno, ENOMEM);
			assert_true(failing_ended());
			assert_null(e);
			assert_int_equal(smtpd__spool_count(f->spool), count);
			assert_int_equal(f->references, references);
		}
	}
	failing_ended();
	smtpd__spool_unpin(f->spool, e);
	free(data);
}

static void
test_add(void **state)
{
	struct fixture *f = *state;

	add_without_memory(f, 10);
	add_without_memory(f, 5000);
	add_without_memory(f, 100000);
	assert_int_equal(fixture_count_files(f, "large"), 1);
	assert_int_equal(fixture_count_files(f, "tmp"), 0);
	assert_int_equal(smtpd__spool_count(f->spool), 3);
}

/* One of two recipients finishes, with a report. */
static void
test_progress(void **state)
{
	struct fixture *f = *state;
	struct smtpd_rcpt_progress r = { .rcpt = 1, .finished = true };
	struct smtpd_spool_mail report = {
		.envelope = {
			SMTPD_OUTGOING_ENVELOPE_INIT,
			.sender = "",
			.rcpts = two,
			.nrcpts = 1,
		},
	};
	struct smtpd_progress p = { .rcpts = &r,
		.nrcpts = 1,
		.due = 7,
		.history = "history",
		.history_len = 5,
		.report = &report };
	struct smtpd_queued_message *e, *added = NULL;
	int status = -1;

	add_without_memory(f, 10);
	e = smtpd__spool_next(f->spool, 0);
	p.job = &e->jobs[1];
	for (int n = 0; status == -1; n++) {
		assert_true(n < TRIES);
		report.content = smtpd__spool_content_create(f->spool);
		failing_after(n);
		status = smtpd__spool_progress(f->spool, &p, &added);
		assert_true(failing_ended() == (status == -1));
		if (status == 0)
			break;
		assert_int_equal(errno, ENOMEM);
		assert_null(added);
		assert_int_equal(e->jobs[1].attempts, 0);
		assert_false(
		    smtpd__queued_message_is_finished(e, &e->jobs[1], 1));
		assert_int_equal(smtpd__spool_count(f->spool), 1);
	}
	assert_true(smtpd__queued_message_is_finished(e, &e->jobs[1], 1));
	assert_false(smtpd__queued_message_is_finished(e, &e->jobs[1], 2));
	assert_non_null(added);
	smtpd__spool_unpin(f->spool, added);
	smtpd__spool_unpin(f->spool, e);
}

static int
swallow(void *user, const void *data, size_t len)
{
	(void)user;
	(void)data;
	(void)len;
	return 0;
}

/* All that reads. */
static void
test_reading(void **state)
{
	struct fixture *f = *state;
	uint64_t id = fixture_add(f, "a@b", "x");
	struct smtpd_queued_message *e, *copy = NULL;
	struct smtpd_rcpt_progress *results;
	struct smtpd_loaded_message loaded;
	size_t count;
	int status;

	assert_int_equal(fixture_progress(f, id, 0, false, 1, "t"), 0);
	e = fixture_find(f, id);
	status = -1;
	for (int n = 0; status == -1; n++) {
		failing_after(n);
		status = smtpd__spool_load(f->spool, e, &loaded);
		assert_true(failing_ended() == (status == -1));
		assert_true(status == 0 || errno == ENOMEM);
	}
	smtpd__loaded_message_finish(&loaded);
	status = -1;
	for (int n = 0; status == -1; n++) {
		failing_after(n);
		status = smtpd__spool_history_results(
		    f->spool, &e->jobs[0], &results, &count);
		assert_true(failing_ended() == (status == -1));
		assert_true(status == 0 || errno == ENOMEM);
	}
	assert_int_equal(count, 1);
	free(results);
	for (int n = 0; copy == NULL; n++) {
		failing_after(n);
		copy = smtpd__spool_copy(f->spool, e);
		assert_true(failing_ended() == (copy == NULL));
	}
	free(copy->finished);
	free(copy);
	for (int n = 0; n < 10; n++) {
		failing_after(n);
		smtpd__spool_history(f->spool, &e->jobs[0], swallow, NULL);
		failing_ended();
	}
	smtpd__spool_unpin(f->spool, e);
}

static void
test_open(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < 3; i++)
		add_without_memory(f, 10);
	fixture_close(f);
	for (int n = 0; f->spool == NULL; n++) {
		assert_true(n < TRIES);
		failing_after(n);
		f->spool = smtpd__spool_open(&smtpd__disk_engine, f->path,
		    &f->settings, f->error, sizeof(f->error));
		failing_ended();
		assert_true(f->spool != NULL || f->references == 0);
	}
	assert_int_equal(smtpd__spool_count(f->spool), 3);
}

/* What is cleaned stays whole, whatever fails. */
static void
test_clean(void **state)
{
	struct fixture *f = *state;
	uint64_t id = fixture_add(f, "a@b", "stays");
	char *body = malloc(60001), history[64];
	uint64_t seed = 3;

	assert_non_null(body);
	memset(body, 'x', 60000);
	body[60000] = '\0';
	assert_int_equal(fixture_progress(f, id, 0, false, 1, "told"), 0);
	for (int i = 0; i < 150; i++) {
		uint64_t other = fixture_add(f, "goes@b", body);

		assert_int_equal(fixture_progress(f, other, 0, true, 0, ""), 0);
		failing_after((int)fixture_random(&seed, 12));
		smtpd__spool_clean(f->spool);
		failing_ended();
	}
	fixture_reopen(f);
	fixture_assert_content(f, id, "stays", 5);
	fixture_trail(f, id, 0, history, sizeof(history));
	assert_string_equal(history, "told");
	assert_int_equal(smtpd__spool_count(f->spool), 1);
	free(body);
}

/* A full disk refuses new mail; what is there can be finished and reported,
 * and then there is room again. */
static void
test_full(void **state)
{
	static const char *const rcpt = "a@b";
	struct fixture *f = *state;
	char *body = calloc(100000, 1);
	uint64_t ids[400];
	size_t count = 0;
	struct smtpd_queued_message *e;

	assert_non_null(body);
	fixture_clean(f);
	disk_full = true;
	for (size_t len = 10000; len >= 10; len /= 10) {
		while (fixture_try_add(f, &rcpt, 1, body, len, &e) == 0) {
			assert_true(count < 400);
			ids[count++] = e->id;
			smtpd__spool_unpin(f->spool, e);
		}
		assert_int_equal(errno, ENOSPC);
	}
	assert_true(count > 50);
	/* No file of a large one stays either. */
	assert_int_equal(fixture_try_add(f, &rcpt, 1, body, 100000, &e), -1);
	assert_int_equal(errno, ENOSPC);
	assert_int_equal(fixture_count_files(f, "tmp"), 0);
	assert_int_equal(fixture_count_files(f, "large"), 0);
	assert_int_equal(smtpd__spool_count(f->spool), count);
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(
		    fixture_progress(f, ids[i], 0, true, 0, "sent"), 0);
		fixture_clean(f);
	}
	assert_int_equal(smtpd__spool_count(f->spool), 0);
	/* Nothing lives, so there is room though the disk is still full. */
	assert_int_equal(fixture_try_add(f, &rcpt, 1, body, 10000, &e), 0);
	disk_full = false;
	smtpd__spool_unpin(f->spool, e);
	fixture_reopen(f);
	assert_int_equal(smtpd__spool_count(f->spool), 1);
	free(body);
}

/* Begin to record that message ID was sent. */
static int
begin_sent(struct fixture *f, uint64_t id)
{
	struct smtpd_queued_message *e = fixture_find(f, id);
	struct smtpd_rcpt_progress r = { .finished = true };
	struct smtpd_progress p = {
		.job = &e->jobs[0],
		.rcpts = &r,
		.nrcpts = 1,
		.attempts = 1,
		.history = "sent",
		.history_len = 4,
	};
	int status = smtpd__spool_progress_begin(f->spool, &p);
	int error = errno;

	smtpd__spool_unpin(f->spool, e);
	errno = error;
	return status;
}

static struct smtpd_journal_stats
stats_of(const struct fixture *f)
{
	struct smtpd_journal_stats stats;

	smtpd__journal_stats(smtpd__spool_journal(f->spool), &stats);
	return stats;
}

/* A record that nobody waited for is lost by the sync: it is written anew, as
 * soon as that can be done, and its message ends only then. */
static void
test_late_sync_fails(void **state)
{
	struct fixture *f = *state;
	uint64_t first = fixture_add(f, "a@b", "one");
	uint64_t second = fixture_add(f, "a@b", "two");

	assert_int_equal(begin_sent(f, first), 0);
	assert_false(fixture_has(f, first));
	sync_error = EIO;
	for (int i = 0; i < 3; i++) {
		assert_int_equal(smtpd__spool_progress_sync(f->spool), -1);
		assert_int_equal(errno, EIO);
		assert_true(smtpd__spool_progress_since(f->spool) != 0);
	}
	assert_int_equal(stats_of(f).live_records, 2);
	sync_error = 0;
	assert_int_equal(begin_sent(f, second), 0);
	assert_int_equal(smtpd__spool_progress_sync(f->spool), 0);
	assert_int_equal(smtpd__spool_progress_since(f->spool), 0);
	assert_int_equal(stats_of(f).live_records, 0);
	fixture_reopen(f);
	assert_int_equal(smtpd__spool_count(f->spool), 0);
	assert_int_equal(fixture_count_files(f, "quarantine"), 0);
}

/* What cannot be written is not begun. */
static void
test_begin_without_memory(void **state)
{
	struct fixture *f = *state;
	uint64_t id = fixture_add(f, "a@b", "one");
	int status = -1;

	for (int n = 0; status == -1; n++) {
		assert_true(n < TRIES);
		failing_after(n);
		status = begin_sent(f, id);
		assert_true(failing_ended() == (status == -1));
		assert_true(fixture_has(f, id) == (status == -1));
		if (status == -1)
			assert_int_equal(errno, ENOMEM);
	}
	assert_int_equal(smtpd__spool_progress_sync(f->spool), 0);
}

/* S4: On a full disk a message that has ended keeps no segment, though the disk
 * does not know that it has. */
static void
test_late_sync_on_a_full_disk(void **state)
{
	struct fixture *f = *state;
	uint64_t id = fixture_add(f, "a@b", "one");

	assert_int_equal(begin_sent(f, id), 0);
	assert_int_equal(stats_of(f).live_records, 1);
	disk_full = true;
	sync_error = ENOSPC;
	assert_int_equal(smtpd__spool_progress_sync(f->spool), -1);
	assert_int_equal(errno, ENOSPC);
	assert_int_equal(stats_of(f).live_records, 0);
	assert_int_equal(smtpd__spool_progress_sync(f->spool), -1);
	assert_int_equal(stats_of(f).live_records, 0);
	disk_full = false;
	sync_error = 0;
	assert_int_equal(smtpd__spool_progress_sync(f->spool), 0);
	assert_int_equal(stats_of(f).live_records, 0);
	fixture_reopen(f);
	assert_int_equal(smtpd__spool_count(f->spool), 0);
}

int
main(void)
{
#define CASE(name) \
	cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		CASE(test_add),
		CASE(test_progress),
		CASE(test_reading),
		CASE(test_open),
		CASE(test_clean),
		CASE(test_full),
		CASE(test_late_sync_fails),
		CASE(test_begin_without_memory),
		CASE(test_late_sync_on_a_full_disk),
	};
#undef CASE

	return cmocka_run_group_tests(tests, NULL, NULL);
}
