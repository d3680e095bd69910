/* SPDX-License-Identifier: MIT */
#include "journal/disk/disk.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/little.h"
#include "disk_fixture.h"
#include "journal/disk/format.h"

#include "test.h"

static struct smtpd_journal_stats
stats_of(struct disk_fixture *d)
{
	struct smtpd_journal_stats stats;

	smtpd__disk_stats(d->log, &stats);
	return stats;
}

/* Append the keys from FROM to TO - 1, of LEN bytes. */
static void
append_all(struct disk_fixture *d, unsigned from, unsigned to, size_t len)
{
	for (unsigned key = from; key < to; key++)
		assert_int_equal(disk_fixture_append(d, key, len, 0, NULL), 0);
}

static void
test_empty(void **state)
{
	struct disk_fixture *d = *state;

	disk_fixture_open(d);
	disk_fixture_expect(d, 0, 0);
	assert_int_equal(disk_fixture_oldest(d->log), 0);
	assert_int_equal(smtpd__disk_recycle_due(d->log), 0);
	assert_int_equal(smtpd__disk_recycle(d->log), 0);
	assert_int_equal(smtpd__disk_append(d->log, NULL, 0, 0), 0);
	disk_fixture_reopen(d);
	disk_fixture_expect(d, 0, 0);
	assert_true(disk_fixture_has(d, "00000001.log"));
	assert_false(disk_fixture_has(d, "00000002.log"));
}

static void
test_round_trip(void **state)
{
	static const size_t lengths[] = { 0, 1, 6, 7, 8, 9, 1000, 300000 };
	struct disk_fixture *d = *state;
	struct smtpd_journal_record e;
	struct smtpd_journal_record record;
	uint64_t sequence = 0;
	const void *body;
	void *memory;

	disk_fixture_open(d);
	for (unsigned i = 0; i < 8; i++) {
		assert_int_equal(
		    disk_fixture_append(d, i, lengths[i], 0, &e), 0);
		assert_int_equal(
		    e.size, smtpd__disk_format_size(1, lengths[i]));
		assert_true(e.sequence > sequence);
		assert_int_equal(smtpd__disk_format_ref_segment(e.ref), 1);
		sequence = e.sequence;
	}
	assert_int_equal(stats_of(d).records, 8);
	assert_int_equal(stats_of(d).syncs, 8);
	assert_int_equal(stats_of(d).live_records, 8);
	disk_fixture_reopen(d);
	disk_fixture_expect(d, 0, 8);
	assert_int_equal(stats_of(d).live_records, 8);
	assert_int_equal(disk_fixture_append(d, 8, 10, 0, &e), 0);
	assert_int_equal(e.sequence, sequence + 1);
	/* Where an earlier process had been. */
	memory = smtpd__disk_read(d->log, e.ref, SIZE_MAX, &record, &body);
	assert_non_null(memory);
	assert_int_equal(record.sequence, e.sequence);
	free(memory);
	disk_fixture_reopen(d);
	disk_fixture_expect(d, 0, 9);
	assert_int_equal(d->reports, 0);
}

/* What is appended after the log was opened again, without closing it. */
static void
test_going_on(void **state)
{
	struct disk_fixture *d = *state;
	struct smtpd_journal_record r;
	struct smtpd_journal_record e;
	const void *body;
	void *memory;

	disk_fixture_open(d);
	append_all(d, 0, 2, 10);
	disk_fixture_reopen(d);
	assert_int_equal(disk_fixture_append(d, 2, 10, 0, &e), 0);
	memory = smtpd__disk_read(d->log, e.ref, SIZE_MAX, &r, &body);
	assert_non_null(memory);
	assert_int_equal(r.sequence, e.sequence);
	free(memory);
}

static void
test_groups(void **state)
{
	struct disk_fixture *d = *state;

	disk_fixture_open(d);
	assert_int_equal(disk_fixture_append_group(d, 0, 1, 100, 0), 0);
	assert_int_equal(disk_fixture_append_group(d, 1, 64, 5, 0), 0);
	assert_int_equal(disk_fixture_append_group(d, 65, 3, 10000, 0), 0);
	assert_int_equal(stats_of(d).syncs, 3);
	disk_fixture_reopen(d);
	disk_fixture_expect(d, 0, 68);
}

static void
test_too_large(void **state)
{
	struct disk_fixture *d = *state;
	static char head[SMTPD_JOURNAL_HEAD_MAX + 1];
	struct smtpd_journal_record e = { .head = head,
		.head_len = sizeof(head) };
	struct iovec huge[2] = { { head, SIZE_MAX }, { head, 2 } };

	d->settings.segment_size = 2 * SEGMENT;
	disk_fixture_open(d);
	assert_int_equal(smtpd__disk_append(d->log, &e, 1, 0), -1);
	assert_int_equal(errno, EFBIG);
	e.head_len--;
	assert_int_equal(smtpd__disk_append(d->log, &e, 1, 0), 0);
	e.body = huge;
	e.body_count = 2;
	assert_int_equal(smtpd__disk_append(d->log, &e, 1, 0), -1);
	assert_int_equal(errno, EFBIG);
	d->settings.replay = NULL;
	disk_fixture_reopen(d);
	assert_int_equal(d->reports, 0);
}

/* As large as a segment has room for, and one byte more. */
static void
test_too_large_for_segment(void **state)
{
	struct disk_fixture *d = *state;
	size_t most = SEGMENT - 2 * 4096 - 40 - 1;

	disk_fixture_open(d);
	assert_int_equal(disk_fixture_append(d, 1, most + 1, 0, NULL), -1);
	assert_int_equal(errno, EFBIG);
	assert_int_equal(
	    disk_fixture_append_group(d, 1, 10, SEGMENT / 10, 0), -1);
	assert_int_equal(errno, EFBIG);
	append_all(d, 0, 3, most);
	assert_int_equal(stats_of(d).segments, 3);
	disk_fixture_reopen(d);
	disk_fixture_expect(d, 0, 3);
}

static void
test_many_segments(void **state)
{
	struct disk_fixture *d = *state;

	disk_fixture_open(d);
	append_all(d, 0, 50, 100000);
	assert_int_equal(stats_of(d).segments, 5);
	assert_int_equal(disk_fixture_oldest(d->log), 1);
	disk_fixture_reopen(d);
	disk_fixture_expect(d, 0, 50);
	/* Now all sealed ones have an index. */
	assert_true(disk_fixture_has(d, "00000001.idx"));
	assert_true(disk_fixture_has(d, "00000004.idx"));
	assert_false(disk_fixture_has(d, "00000005.idx"));
	disk_fixture_reopen(d);
	disk_fixture_expect(d, 0, 50);
	assert_int_equal(d->reports, 0);
}

static void
test_walk(void **state)
{
	struct disk_fixture *d = *state;
	size_t first;

	disk_fixture_open(d);
	append_all(d, 0, 30, 100000);
	assert_int_equal(
	    disk_fixture_walk(d->log, 3, disk_fixture_note, d), -1);
	assert_int_equal(errno, ENOENT);
	assert_int_equal(disk_fixture_walk(d->log, 1, disk_fixture_note, d), 0);
	first = d->count;
	assert_true(first > 5 && first < 15);
	assert_int_equal(disk_fixture_walk(d->log, 2, disk_fixture_note, d), 0);
	disk_fixture_expect(d, 0, (unsigned)d->count);
	disk_fixture_forget(d);
	/* The walk has left an index. */
	assert_true(disk_fixture_has(d, "00000001.idx"));
	assert_int_equal(disk_fixture_walk(d->log, 1, disk_fixture_note, d), 0);
	disk_fixture_expect(d, 0, (unsigned)first);
	assert_int_equal(
	    disk_fixture_walk(d->log, 77, disk_fixture_note, d), -1);
}

static int
stop_at_three(void *user, const struct smtpd_journal_record *record)
{
	int *n = user;

	(void)record;
	return ++*n == 3 ? 42 : 0;
}

static void
test_walk_stops(void **state)
{
	struct disk_fixture *d = *state;

	disk_fixture_open(d);
	append_all(d, 0, 12, 100000);
	for (int i = 0; i < 2; i++) {
		int n = 0;

		assert_int_equal(
		    disk_fixture_walk(d->log, 1, stop_at_three, &n), 42);
		assert_int_equal(n, 3);
		assert_int_equal(disk_fixture_has(d, "00000001.idx"), i > 0);
		while (smtpd__disk_prepare(d->log) == 1)
			;
	}
}

static void
test_prepare(void **state)
{
	struct disk_fixture *d = *state;

	disk_fixture_open(d);
	assert_int_equal(stats_of(d).spares, 0);
	assert_int_equal(smtpd__disk_prepare(d->log), 0);
	assert_int_equal(stats_of(d).spares, 1);
	append_all(d, 0, 30, 100000);
	assert_false(disk_fixture_has(d, "00000001.idx"));
	assert_int_equal(smtpd__disk_prepare(d->log), 1);
	assert_int_equal(smtpd__disk_prepare(d->log), 0);
	assert_int_equal(smtpd__disk_prepare(d->log), 0);
	assert_true(disk_fixture_has(d, "00000001.idx"));
	assert_true(disk_fixture_has(d, "00000002.idx"));
	/* Now that there is something to empty, one is kept for that. */
	assert_int_equal(stats_of(d).spares, 2);
	assert_true(disk_fixture_has(d, "spare-0"));
	assert_true(stats_of(d).room > SEGMENT / 2);
	disk_fixture_reopen(d);
	assert_int_equal(stats_of(d).spares, 2);
	disk_fixture_expect(d, 0, 30);
	assert_int_equal(disk_fixture_append(d, 30, SEGMENT - 16384,
			     SMTPD_JOURNAL_ESSENTIAL, NULL),
	    0);
	assert_false(disk_fixture_has(d, "spare-0"));
}

/* Old records of a recycled segment are never taken for new ones. */
static void
test_recycle(void **state)
{
	struct disk_fixture *d = *state;
	struct smtpd_journal_record entries[60];
	unsigned n = 0;

	disk_fixture_open(d);
	for (; n < 60; n++)
		assert_int_equal(
		    disk_fixture_append(d, n, 100000, 0, &entries[n]), 0);
	assert_int_equal(stats_of(d).segments, 6);
	assert_int_equal(smtpd__disk_recycle(d->log), 0);
	for (unsigned i = 0; i < n; i++)
		if (smtpd__disk_format_ref_segment(entries[i].ref) <= 4)
			smtpd__disk_release(
			    d->log, entries[i].ref, entries[i].size);
	assert_int_equal(smtpd__disk_recycle_due(d->log), 1);
	assert_int_equal(smtpd__disk_recycle(d->log), 4);
	assert_int_equal(smtpd__disk_recycle_due(d->log), 0);
	assert_int_equal(stats_of(d).segments, 2);
	assert_int_equal(stats_of(d).spares, 2);
	assert_int_equal(disk_fixture_oldest(d->log), 5);
	assert_false(disk_fixture_has(d, "00000001.log"));
	/* Fill a recycled one with records of the same size in part. */
	disk_fixture_reopen(d);
	n = d->seen[0].key;
	append_all(d, 60, 70, 100000);
	assert_true(disk_fixture_has(d, "00000007.log"));
	disk_fixture_reopen(d);
	disk_fixture_expect(d, n, 70);
	append_all(d, 70, 72, 100000);
	disk_fixture_reopen(d);
	disk_fixture_expect(d, n, 72);
	assert_int_equal(d->reports, 0);
}

/* Only the oldest goes, and the last never. */
static void
test_recycle_in_order(void **state)
{
	struct disk_fixture *d = *state;
	struct smtpd_journal_record entries[30];

	disk_fixture_open(d);
	for (unsigned i = 0; i < 30; i++)
		assert_int_equal(
		    disk_fixture_append(d, i, 100000, 0, &entries[i]), 0);
	for (unsigned i = 1; i < 30; i++)
		smtpd__disk_release(d->log, entries[i].ref, entries[i].size);
	assert_int_equal(smtpd__disk_recycle(d->log), 0);
	/* More than what is live was released: nothing is lost by it. */
	smtpd__disk_release(d->log, entries[1].ref, UINT32_MAX);
	assert_int_equal(smtpd__disk_recycle(d->log), 0);
	smtpd__disk_release(d->log, entries[0].ref, entries[0].size);
	assert_int_equal(stats_of(d).live_bytes, 0);
	assert_int_equal(smtpd__disk_recycle(d->log), 2);
	assert_int_equal(smtpd__disk_recycle(d->log), 0);
	assert_int_equal(stats_of(d).segments, 1);
}

static int
release_even(void *user, struct smtpd_disk *log,
    const struct smtpd_journal_record *record)
{
	struct disk_fixture *d = user;
	const struct seen *before;

	assert_int_equal(disk_fixture_note(d, record), 0);
	if (d->count % 2 != 0)
		return 1;
	before = &d->seen[d->count - 2];
	smtpd__disk_release(log, before->record.ref, before->record.size);
	return 0;
}

static void
test_release_in_replay(void **state)
{
	struct disk_fixture *d = *state;

	disk_fixture_open(d);
	append_all(d, 0, 30, 100000);
	d->settings.replay = release_even;
	disk_fixture_reopen(d);
	assert_int_equal(stats_of(d).live_records, 0);
	assert_int_equal(smtpd__disk_recycle(d->log), 2);
}

static int
refuse(void *user, struct smtpd_disk *log,
    const struct smtpd_journal_record *record)
{
	(void)user, (void)log, (void)record;
	errno = ENOMEM;
	return -1;
}

static void
test_replay_refuses(void **state)
{
	struct disk_fixture *d = *state;

	disk_fixture_open(d);
	append_all(d, 0, 1, 10);
	disk_fixture_close(d);
	d->settings.replay = refuse;
	assert_false(disk_fixture_try(d));
	assert_int_equal(errno, ENOMEM);
	assert_string_equal(
	    d->error, "segment 00000001.log: Cannot allocate memory");
}

/* An index that is damaged, of another segment, or out of date, is made anew;
 * the log says the same in any case. */
static void
test_index_is_not_trusted(void **state)
{
	struct disk_fixture *d = *state;
	struct stat st;

	disk_fixture_open(d);
	append_all(d, 0, 30, 100000);
	disk_fixture_reopen(d);
	assert_int_equal(fstatat(d->dir, "00000001.idx", &st, 0), 0);
	assert_true(st.st_size > 64 && st.st_size < 1000);
	for (long i = 0; i < st.st_size; i += i < 64 ? 2 : 9) {
		disk_fixture_flip(d, "00000001.idx", i, 0x10);
		disk_fixture_reopen(d);
		disk_fixture_expect(d, 0, 30);
		assert_int_equal(d->reports, 0);
	}
	for (long i = 0; i < st.st_size; i += 5) {
		int fd = openat(d->dir, "00000001.idx", O_RDWR);

		assert_int_equal(ftruncate(fd, i), 0);
		close(fd);
		disk_fixture_reopen(d);
		disk_fixture_expect(d, 0, 30);
	}
	assert_int_equal(
	    renameat(d->dir, "00000001.idx", d->dir, "00000002.idx"), 0);
	disk_fixture_reopen(d);
	disk_fixture_expect(d, 0, 30);
	assert_int_equal(d->reports, 0);
}

/* Nothing is written, not even an index that is missing. */
static void
test_read_only(void **state)
{
	struct disk_fixture *d = *state;
	struct smtpd_journal_record e = { .head = "" };

	d->settings.read_only = true;
	disk_fixture_open(d);
	assert_false(disk_fixture_has(d, "00000001.log"));
	d->settings.read_only = false;
	disk_fixture_reopen(d);
	append_all(d, 0, 30, 100000);
	assert_int_equal(unlinkat(d->dir, "spare-0", 0), 0);
	d->settings.read_only = true;
	disk_fixture_reopen(d);
	disk_fixture_expect(d, 0, 30);
	assert_int_equal(smtpd__disk_append(d->log, &e, 1, 0), -1);
	assert_int_equal(errno, EROFS);
	assert_int_equal(smtpd__disk_prepare(d->log), 0);
	assert_int_equal(smtpd__disk_recycle(d->log), 0);
	assert_int_equal(disk_fixture_walk(d->log, 1, disk_fixture_note, d), 0);
	assert_false(disk_fixture_has(d, "00000001.idx"));
	assert_false(disk_fixture_has(d, "spare-0"));
}

static void
put_version(struct disk_fixture *d, const char *name, uint32_t version)
{
	struct smtpd_crc32c crc;
	uint8_t header[64];
	int fd = openat(d->dir, name, O_RDWR);

	smtpd__crc32c_init(&crc);
	assert_int_equal(pread(fd, header, 64, 0), 64);
	smtpd_put_u32(header + 8, version);
	smtpd_put_u32(header + 60, smtpd__crc32c(&crc, 0, header, 60));
	assert_int_equal(pwrite(fd, header, 64, 0), 64);
	close(fd);
}

static void
test_newer_version(void **state)
{
	struct disk_fixture *d = *state;

	disk_fixture_open(d);
	append_all(d, 0, 12, 100000);
	disk_fixture_close(d);
	put_version(d, "00000002.log", 7);
	for (int i = 0; i < 2; i++) {
		d->settings.read_only = i;
		assert_false(disk_fixture_try(d));
		assert_int_equal(errno, ENOTSUP);
		assert_string_equal(d->error,
		    "segment 00000002.log: its format has version 7, "
		    "this program knows version 1");
		assert_int_equal(d->count, 0);
	}
	d->settings.read_only = false;
	put_version(d, "00000002.log", 1);
	disk_fixture_open(d);
	disk_fixture_expect(d, 0, 12);
}

static void
test_settings(void **state)
{
	static const struct {
		uint32_t segment_size, reserve;
		bool sound;
	} cases[] = {
		{ SEGMENT, 0, true },
		{ SEGMENT, SEGMENT / 4, true },
		{ SEGMENT, SEGMENT / 4 + 1, false },
		{ SEGMENT - 4096, 0, false },
		{ SEGMENT + 1, 0, false },
		{ 2 * SEGMENT, 0, true },
		{ UINT32_MAX, 0, false },
	};
	struct disk_fixture *d = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		d->settings.segment_size = cases[i].segment_size;
		d->settings.reserve = cases[i].reserve;
		assert_int_equal(disk_fixture_try(d), cases[i].sound);
		assert_true(cases[i].sound || errno == EINVAL);
		disk_fixture_close(d);
	}
}

/* Segments keep their size when the setting changes. */
static void
test_other_size(void **state)
{
	struct disk_fixture *d = *state;

	disk_fixture_open(d);
	append_all(d, 0, 12, 100000);
	assert_int_equal(smtpd__disk_prepare(d->log), 0);
	disk_fixture_close(d);
	d->settings.segment_size = 2 * SEGMENT;
	disk_fixture_open(d);
	assert_int_equal(stats_of(d).spares, 0);
	append_all(d, 12, 60, 100000);
	assert_int_equal(stats_of(d).segments, 4);
	disk_fixture_reopen(d);
	disk_fixture_expect(d, 0, 60);
	disk_fixture_close(d);
	d->settings.segment_size = SEGMENT;
	disk_fixture_open(d);
	append_all(d, 60, 80, 100000);
	disk_fixture_reopen(d);
	disk_fixture_expect(d, 0, 80);
}

/* Foreign names are left alone; so is what is left over from a crash not. */
static void
test_other_files(void **state)
{
	static const char *const foreign[] = { "0000001.log", "00000000.log",
		"0000000A.log", "00000001.log~", "spare-9", "spare", "README" };
	static const char *const left_over[] = { "spare-0", "spare-1",
		"spare-2", "00000077.idx" };
	struct disk_fixture *d = *state;

	for (size_t i = 0; i < 7; i++)
		close(openat(d->dir, foreign[i], O_CREAT | O_WRONLY, 0600));
	for (size_t i = 0; i < 4; i++)
		close(openat(d->dir, left_over[i], O_CREAT | O_WRONLY, 0600));
	disk_fixture_open(d);
	append_all(d, 0, 3, 10);
	disk_fixture_reopen(d);
	disk_fixture_expect(d, 0, 3);
	for (size_t i = 0; i < 7; i++)
		assert_true(disk_fixture_has(d, foreign[i]));
	for (size_t i = 0; i < 4; i++)
		assert_false(disk_fixture_has(d, left_over[i]));
}

static void
test_reading_what_is_not_there(void **state)
{
	static const struct {
		uint32_t segment, offset;
		int error;
	} cases[] = {
		{ 0, 0, ENOENT },
		{ 2, 4096, ENOENT },
		{ 1, 0, EBADMSG },
		{ 1, 4104, EBADMSG },
		{ 1, SEGMENT - 8, EBADMSG },
		{ 1, UINT32_MAX, EBADMSG },
	};
	struct disk_fixture *d = *state;

	disk_fixture_open(d);
	append_all(d, 0, 3, 1000);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct smtpd_journal_record record;
		const void *body;

		assert_null(smtpd__disk_read(d->log,
		    smtpd__disk_format_ref(cases[i].segment, cases[i].offset),
		    SIZE_MAX, &record, &body));
		assert_int_equal(errno, cases[i].error);
	}
}

struct crowd {
	struct disk_fixture *d;
	unsigned first;
	unsigned n;
	int failures;
};

static void *
append_some(void *user)
{
	struct crowd *c = user;

	for (unsigned i = 0; i < c->n; i++) {
		struct smtpd_journal_record e;
		int rc = i % 3 == 0
		    ? disk_fixture_append_group(c->d, c->first + i, 1, 3000, 0)
		    : disk_fixture_append(c->d, c->first + i, 500 + i, 0, &e);

		c->failures += rc != 0;
		if (rc == 0 && i % 3 != 0) {
			struct smtpd_journal_record record;
			const void *body;
			void *memory = smtpd__disk_read(
			    c->d->log, e.ref, SIZE_MAX, &record, &body);

			c->failures += memory == NULL;
			free(memory);
		}
	}
	return NULL;
}

static int
by_key(const void *a, const void *b)
{
	return (int)((const struct seen *)a)->key -
	    (int)((const struct seen *)b)->key;
}

static void
test_crowd(void **state)
{
	struct disk_fixture *d = *state;
	struct crowd crowd[64];
	pthread_t threads[64];

	disk_fixture_open(d);
	for (unsigned i = 0; i < 64; i++) {
		crowd[i] = (struct crowd){ d, i * 100, 30, 0 };
		assert_int_equal(
		    pthread_create(&threads[i], NULL, append_some, &crowd[i]),
		    0);
	}
	for (unsigned i = 0; i < 64; i++) {
		pthread_join(threads[i], NULL);
		assert_int_equal(crowd[i].failures, 0);
		while (smtpd__disk_prepare(d->log) == 1)
			;
	}
	assert_int_equal(stats_of(d).records, 64 * 30);
	assert_true(stats_of(d).syncs < 64 * 30 / 2);
	assert_true(stats_of(d).segments > 1);
	disk_fixture_reopen(d);
	assert_int_equal(d->count, 64 * 30);
	for (size_t i = 1; i < d->count; i++)
		assert_true(d->seen[i - 1].record.sequence <
		    d->seen[i].record.sequence);
	qsort(d->seen, d->count, sizeof(*d->seen), by_key);
	for (unsigned i = 0; i < d->count; i++) {
		assert_int_equal(d->seen[i].key, i / 30 * 100 + i % 30);
		disk_fixture_check(d, &d->seen[i]);
	}
	assert_int_equal(d->reports, 0);
}

int
main(void)
{
#define CASE(name)                       \
	cmocka_unit_test_setup_teardown( \
	    name, disk_fixture_setup, disk_fixture_teardown)
	const struct CMUnitTest tests[] = {
		CASE(test_empty),
		CASE(test_round_trip),
		CASE(test_going_on),
		CASE(test_groups),
		CASE(test_too_large),
		CASE(test_too_large_for_segment),
		CASE(test_many_segments),
		CASE(test_walk),
		CASE(test_walk_stops),
		CASE(test_prepare),
		CASE(test_recycle),
		CASE(test_recycle_in_order),
		CASE(test_release_in_replay),
		CASE(test_replay_refuses),
		CASE(test_index_is_not_trusted),
		CASE(test_read_only),
		CASE(test_newer_version),
		CASE(test_settings),
		CASE(test_other_size),
		CASE(test_other_files),
		CASE(test_reading_what_is_not_there),
		CASE(test_crowd),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
