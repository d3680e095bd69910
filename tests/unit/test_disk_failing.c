/* SPDX-License-Identifier: MIT */
/* The log on a disk that is full, or failing, and without memory.  Linked with
 * --wrap for what allocates; the system calls are replaced here. */
#define _GNU_SOURCE
#include <sys/stat.h>
#include <sys/syscall.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "disk_fixture.h"
#include "failing.h"
#include "journal/disk/format.h"

#include "test.h"

/* What the replaced calls say from the next but COUNTDOWN on, TIMES times; 0
 * times: what the system says. */
struct failure {
	atomic_int error;
	atomic_int countdown;
	atomic_int times;
};

static struct failure sync_fails, write_fails, fsync_fails, allocate_fails,
    read_fails;
static _Atomic ino_t failed_file;  /* that could not be synced */
static atomic_int synced_after_it; /* how often that was tried again */
static _Atomic off_t bad_from, bad_to;

static bool
fails(struct failure *f)
{
	if (atomic_load(&f->times) <= 0 ||
	    atomic_fetch_sub(&f->countdown, 1) > 0)
		return false;
	if (atomic_fetch_sub(&f->times, 1) <= 0)
		return false;
	errno = f->error;
	return true;
}

static void
fail_next(struct failure *f, int error, int after, int times)
{
	f->error = error;
	f->countdown = after;
	f->times = times;
}

int
fdatasync(int fd)
{
	struct stat st;

	if (fstat(fd, &st) == 0 && st.st_ino == failed_file)
		synced_after_it++;
	if (fails(&sync_fails)) {
		failed_file = st.st_ino;
		return -1;
	}
	return (int)syscall(SYS_fdatasync, fd);
}

int
fsync(int fd)
{
	return fails(&fsync_fails) ? -1 : (int)syscall(SYS_fsync, fd);
}

int
posix_fallocate(int fd, off_t offset, off_t len)
{
	if (fails(&allocate_fails))
		return allocate_fails.error;
	return syscall(SYS_fallocate, fd, 0, offset, len) == 0 ? 0 : errno;
}

/* Half of it is written before it fails. */
ssize_t
pwrite(int fd, const void *data, size_t len, off_t offset)
{
	if (fails(&write_fails)) {
		syscall(SYS_pwrite64, fd, data, len / 2, offset);
		errno = write_fails.error;
		return -1;
	}
	/* A signal comes in between. */
	if (len > 100)
		len -= 50;
	return syscall(SYS_pwrite64, fd, data, len, offset);
}

ssize_t
pread(int fd, void *data, size_t len, off_t offset)
{
	if (offset < bad_to && offset + (off_t)len > bad_from) {
		errno = EIO;
		return -1;
	}
	if (fails(&read_fails))
		return -1;
	return syscall(SYS_pread64, fd, data, len, offset);
}

static int
setup(void **state)
{
	fail_next(&sync_fails, 0, 0, 0);
	fail_next(&write_fails, 0, 0, 0);
	fail_next(&fsync_fails, 0, 0, 0);
	fail_next(&allocate_fails, 0, 0, 0);
	fail_next(&read_fails, 0, 0, 0);
	failed_file = 0;
	synced_after_it = 0;
	bad_from = 0;
	bad_to = 0;
	return disk_fixture_setup(state);
}

static struct smtpd_journal_stats
stats_of(struct disk_fixture *d)
{
	struct smtpd_journal_stats stats;

	smtpd__disk_stats(d->log, &stats);
	return stats;
}

static void
append_one(struct disk_fixture *d, unsigned key)
{
	assert_int_equal(disk_fixture_append(d, key, 1000, 0, NULL), 0);
}

static void
refuses(
    struct disk_fixture *d, unsigned key, size_t len, unsigned flags, int error)
{
	assert_int_equal(disk_fixture_append(d, key, len, flags, NULL), -1);
	assert_int_equal(errno, error);
}

/* Whether a sync or a write fails, the file is never synced again, and what
 * was refused is not there. */
static void
fails_once(struct disk_fixture *d, struct failure *f, int error)
{
	disk_fixture_open(d);
	append_one(d, 0);
	fail_next(f, error, 0, 1);
	refuses(d, 77, 1000, 0, error);
	assert_int_equal(stats_of(d).live_records, 1);
	assert_int_equal(stats_of(d).failures, 1);
	append_one(d, 1);
	assert_true(disk_fixture_has(d, "00000002.log"));
	append_one(d, 2);
	assert_int_equal(synced_after_it, 0);
	disk_fixture_reopen(d);
	disk_fixture_expect(d, 0, 3);
	disk_fixture_reopen(d);
	disk_fixture_expect(d, 0, 3);
	assert_int_equal(d->reports, 0);
	/* The file that failed is not used again. */
	disk_fixture_close(d);
}

static void
test_sync_fails(void **state)
{
	fails_once(*state, &sync_fails, EIO);
}

static void
test_write_fails(void **state)
{
	fails_once(*state, &write_fails, ENOSPC);
}

static void
test_failed_file_is_not_recycled(void **state)
{
	struct disk_fixture *d = *state;
	struct smtpd_journal_record e;

	disk_fixture_open(d);
	assert_int_equal(disk_fixture_append(d, 0, 1000, 0, &e), 0);
	fail_next(&sync_fails, EIO, 0, 1);
	refuses(d, 77, 1000, 0, EIO);
	/* Nothing to go to yet: it has to stay. */
	smtpd__disk_release(d->log, e.ref, e.size);
	assert_int_equal(smtpd__disk_recycle(d->log), 0);
	append_one(d, 1);
	assert_int_equal(smtpd__disk_recycle(d->log), 1);
	assert_int_equal(stats_of(d).spares, 0);
	assert_false(disk_fixture_has(d, "00000001.log"));
	assert_false(disk_fixture_has(d, "spare-0"));
	disk_fixture_reopen(d);
	disk_fixture_expect(d, 1, 2);
}

/* Nothing can be appended until a new segment can be begun. */
static void
test_sync_fails_on_full_disk(void **state)
{
	struct disk_fixture *d = *state;

	disk_fixture_open(d);
	append_one(d, 0);
	fail_next(&sync_fails, EIO, 0, 1);
	fail_next(&allocate_fails, ENOSPC, 0, 2);
	refuses(d, 77, 1000, 0, EIO);
	assert_int_equal(stats_of(d).room, 0);
	refuses(d, 77, 1000, 0, ENOSPC);
	refuses(d, 77, 1000, SMTPD_JOURNAL_ESSENTIAL, ENOSPC);
	disk_fixture_check(d,
	    &(struct seen){ .record = { .ref = { UINT64_C(4096) << 32 | 1 },
				.sequence = 1,
				.head_len = 1,
				.body_len = 1000,
				.size = 1048 } });
	append_one(d, 1);
	disk_fixture_reopen(d);
	disk_fixture_expect(d, 0, 2);
}

/* S6: The same, and it ends before anything else is appended: what was refused
 * is not there, and nothing else is lost. */
static void
test_sync_fails_at_the_end(void **state)
{
	struct disk_fixture *d = *state;

	disk_fixture_open(d);
	append_one(d, 0);
	fail_next(&sync_fails, EIO, 0, 1);
	refuses(d, 1, 1000, 0, EIO);
	disk_fixture_reopen(d);
	disk_fixture_expect(d, 0, 1);
	append_one(d, 1);
	disk_fixture_reopen(d);
	disk_fixture_expect(d, 0, 2);
}

/* What was begun is found after a kill, though its sync failed: it is not what
 * anybody was told is not there. */
static void
test_sync_fails_of_what_was_begun(void **state)
{
	struct disk_fixture *d = *state;
	struct smtpd_journal_record begun = { .head = "1", .head_len = 1 };
	struct smtpd_journal_promise promise;

	disk_fixture_open(d);
	append_one(d, 0);
	assert_int_equal(
	    smtpd__disk_append_begin(d->log, &begun, 1, 0, &promise), 0);
	fail_next(&sync_fails, EIO, 0, 1);
	refuses(d, 77, 1000, 0, EIO);
	assert_int_equal(smtpd__disk_append_end(d->log, &promise), -1);
	assert_int_equal(errno, EIO);
	disk_fixture_reopen(d);
	assert_int_equal(d->count, 2);
	assert_int_equal(d->seen[1].key, 1);
	append_one(d, 2);
}

/* However many were refused among those that were only begun: none of them is
 * found after a kill, nor when more is appended behind them. */
static void
test_sync_fails_of_many(void **state)
{
	enum {
		MANY = 80
	};
	struct disk_fixture *d = *state;
	struct smtpd_journal_record records[MANY];
	struct smtpd_journal_promise promises[MANY];
	char heads[MANY][4];
	size_t found;

	disk_fixture_open(d);
	for (unsigned i = 0; i < MANY; i++) {
		snprintf(heads[i], sizeof(heads[i]), "%u", i);
		records[i] = (struct smtpd_journal_record){ .head = heads[i],
			.head_len = strlen(heads[i]) };
		assert_int_equal(smtpd__disk_append_begin(
				     d->log, &records[i], 1, 0, &promises[i]),
		    0);
		/* As of a thread that waits. */
		promises[i].begun = i % 2 == 1;
	}
	fail_next(&sync_fails, EIO, 0, 1);
	assert_int_equal(smtpd__disk_append_end(d->log, &promises[0]), -1);
	for (int i = 0; i < 2; i++) {
		disk_fixture_reopen(d);
		found = d->count;
		assert_in_range(found, 7, MANY / 2 + 1);
		for (size_t k = 0; k < found; k++)
			assert_int_equal(d->seen[k].key % 2, 1);
		if (i == 0)
			append_one(d, 1001);
	}
	assert_int_equal(d->seen[found - 1].key, 1001);
}

/* It cannot be written: nothing is begun. */
static void
test_write_fails_of_what_is_begun(void **state)
{
	struct disk_fixture *d = *state;
	struct smtpd_journal_record begun = { .head = "1", .head_len = 1 };
	struct smtpd_journal_promise promise;

	disk_fixture_open(d);
	append_one(d, 0);
	fail_next(&write_fails, ENOSPC, 0, 1);
	assert_int_equal(
	    smtpd__disk_append_begin(d->log, &begun, 1, 0, &promise), -1);
	assert_int_equal(errno, ENOSPC);
	assert_int_equal(stats_of(d).failures, 1);
	append_one(d, 1);
	disk_fixture_reopen(d);
	disk_fixture_expect(d, 0, 2);
}

/* S6: A disk that goes on to fail does not leave a segment each time. */
static void
test_sync_fails_again(void **state)
{
	struct disk_fixture *d = *state;

	disk_fixture_open(d);
	append_one(d, 0);
	for (int i = 0; i < 9; i++) {
		/* The second sync is that of the record. */
		fail_next(&sync_fails, EIO, i == 0 ? 0 : 1, 1);
		refuses(d, 1, 1000, 0, EIO);
	}
	assert_in_range(stats_of(d).segments, 1, 2);
	append_one(d, 1);
	disk_fixture_reopen(d);
	disk_fixture_expect(d, 0, 2);
	assert_int_equal(d->reports, 0);
}

/* Each step by which a segment is begun fails once. */
static void
test_segment_cannot_be_begun(void **state)
{
	static const struct {
		struct failure *failure;
		int after;
	} steps[] = {
		{ &allocate_fails, 0 },
		{ &write_fails, 0 },
		{ &write_fails, 1 },
		{ &sync_fails, 0 },
		{ &fsync_fails, 0 },
	};
	struct disk_fixture *d = *state;
	unsigned n = 0;

	disk_fixture_open(d);
	for (int spare = 0; spare < 2; spare++) {
		for (size_t i = spare; i < 5; i++) {
			while (stats_of(d).room + SEGMENT / 4 > 300000)
				assert_int_equal(
				    disk_fixture_append(d, n++, 200000,
					SMTPD_JOURNAL_ESSENTIAL, NULL),
				    0);
			if (spare)
				smtpd__disk_prepare(d->log);
			fail_next(steps[i].failure, EIO, steps[i].after, 1);
			refuses(d, 77, 400000, 0, EIO);
			assert_int_equal(
			    disk_fixture_append(d, n++, 400000, 0, NULL), 0);
		}
	}
	assert_int_equal(stats_of(d).failures, 0);
	disk_fixture_reopen(d);
	disk_fixture_expect(d, 0, n);
	assert_int_equal(d->reports, 0);
}

/* What is not essential leaves the reserve alone; all can be read; and when
 * there is space again it goes on. */
static void
test_disk_full(void **state)
{
	struct disk_fixture *d = *state;
	unsigned n = 0, reserved = 0;

	disk_fixture_open(d);
	fail_next(&allocate_fails, ENOSPC, 0, 1000);
	assert_int_equal(smtpd__disk_prepare(d->log), -1);
	assert_int_equal(errno, ENOSPC);
	while (disk_fixture_append(d, n, 20000, 0, NULL) == 0) {
		n++;
		assert_true(stats_of(d).room <= SEGMENT * 3 / 4);
	}
	assert_int_equal(errno, ENOSPC);
	assert_true(stats_of(d).room < 20048);
	assert_true(n > 30 && n < 40);
	while (disk_fixture_append(
		   d, n, 20000, SMTPD_JOURNAL_ESSENTIAL, NULL) == 0) {
		n++;
		reserved++;
	}
	assert_int_equal(errno, ENOSPC);
	assert_int_equal(reserved, SEGMENT / 4 / 20048);
	assert_int_equal(stats_of(d).failures, 0);
	/* Also for one that is opened now. */
	disk_fixture_reopen(d);
	disk_fixture_expect(d, 0, n);
	refuses(d, n, 1000, 0, ENOSPC);
	fail_next(&allocate_fails, 0, 0, 0);
	append_one(d, n);
	disk_fixture_reopen(d);
	disk_fixture_expect(d, 0, n + 1);
}

/* Relocate what is live of ENTRIES in segment DUE. */
static void
relocate(struct disk_fixture *d, struct smtpd_journal_record *entries,
    size_t count, uint32_t due)
{
	for (size_t i = 0; i < count; i++) {
		struct smtpd_journal_record old = entries[i];

		if (smtpd__disk_format_ref_segment(old.ref) != due)
			continue;
		assert_int_equal(disk_fixture_append(d, (unsigned)i, 300000,
				     SMTPD_JOURNAL_RELOCATION, &entries[i]),
		    0);
		smtpd__disk_release(d->log, old.ref, old.size);
	}
}

/* S4: Whatever is appended on a full disk, its garbage can be won back. */
static void
test_disk_full_of_garbage(void **state)
{
	struct disk_fixture *d = *state;
	struct smtpd_journal_record entries[4], e;
	size_t count = 0;
	uint32_t due;

	disk_fixture_open(d);
	/* A third of each segment is live. */
	for (unsigned n = 0; count < 4; n++) {
		assert_int_equal(disk_fixture_append(d, n, 300000, 0, &e), 0);
		if (n % 3 == 0)
			entries[count++] = e;
		else
			smtpd__disk_release(d->log, e.ref, e.size);
		while (smtpd__disk_prepare(d->log) == 1)
			continue;
	}
	assert_int_equal(smtpd__disk_recycle_due(d->log), 0);
	assert_int_equal(stats_of(d).spares, 2);
	fail_next(&allocate_fails, ENOSPC, 0, 1000);
	for (int i = 0; i < 2; i++)
		while (disk_fixture_append(d, 99, 20000,
			   i == 0 ? 0 : SMTPD_JOURNAL_ESSENTIAL, &e) == 0)
			smtpd__disk_release(d->log, e.ref, e.size);
	assert_int_equal(errno, ENOSPC);
	assert_int_equal(stats_of(d).spares, 1);
	assert_int_equal(smtpd__disk_prepare(d->log), -1);
	for (int i = 0; (due = smtpd__disk_recycle_due(d->log)) != 0; i++) {
		assert_true(i < 10);
		/* Progress is recorded meanwhile, as far as there is room. */
		while (disk_fixture_append(
			   d, 99, 20000, SMTPD_JOURNAL_ESSENTIAL, &e) == 0)
			smtpd__disk_release(d->log, e.ref, e.size);
		relocate(d, entries, count, due);
		assert_true(smtpd__disk_recycle(d->log) > 0);
		smtpd__disk_prepare(d->log);
	}
	append_one(d, 100);
	assert_int_equal(stats_of(d).failures, 0);
}

static void
test_disk_full_from_the_start(void **state)
{
	struct disk_fixture *d = *state;

	fail_next(&allocate_fails, EDQUOT, 0, 3);
	disk_fixture_open(d);
	assert_int_equal(stats_of(d).room, 0);
	refuses(d, 0, 1000, 0, ENOSPC);
	refuses(d, 0, 1000, SMTPD_JOURNAL_ESSENTIAL, ENOSPC);
	append_one(d, 0);
	disk_fixture_reopen(d);
	disk_fixture_expect(d, 0, 1);
}

/* An old file system, or an odd one. */
static void
test_cannot_allocate_ahead(void **state)
{
	struct disk_fixture *d = *state;

	fail_next(&allocate_fails, EOPNOTSUPP, 0, 1000);
	disk_fixture_open(d);
	append_one(d, 0);
	disk_fixture_reopen(d);
	disk_fixture_expect(d, 0, 1);
}

/* A spare is written before anybody waits for it, so that no sync needs to have
 * the file system record that it was; one that cannot be written is none. */
static void
test_spare_cannot_be_filled(void **state)
{
	struct disk_fixture *d = *state;

	disk_fixture_open(d);
	for (int i = 0; i < 2; i++) {
		fail_next(i == 0 ? &write_fails : &sync_fails, ENOSPC, 0, 1);
		assert_int_equal(smtpd__disk_prepare(d->log), -1);
		assert_int_equal(errno, ENOSPC);
		assert_int_equal(stats_of(d).spares, 0);
		assert_false(disk_fixture_has(d, "spare-0"));
	}
	assert_int_equal(smtpd__disk_prepare(d->log), 0);
	assert_int_equal(stats_of(d).spares, 1);
	append_one(d, 0);
}

/* Nor is the first segment of a new log only allocated. */
static void
test_first_segment_cannot_be_filled(void **state)
{
	struct disk_fixture *d = *state;

	/* The headers are the second and third. */
	fail_next(&write_fails, ENOSPC, 0, 1);
	disk_fixture_open(d);
	assert_int_equal(stats_of(d).segments, 0);
	append_one(d, 0);
	disk_fixture_reopen(d);
	disk_fixture_expect(d, 0, 1);
}

/* Append keys of all sizes, up to those that fill more than one segment; the
 * first of these has its index when INDEXED.  Return how many. */
static unsigned
fill_segments(struct disk_fixture *d, bool indexed)
{
	unsigned n = 0;

	disk_fixture_open(d);
	for (; n < 60; n += 4) {
		size_t len = n % 8 == 0 ? 60000 : 700;

		assert_int_equal(
		    disk_fixture_append(d, n, 100 * n, 0, NULL), 0);
		assert_int_equal(
		    disk_fixture_append_group(d, n + 1, 3, len, 0), 0);
	}
	while (indexed && smtpd__disk_prepare(d->log) == 1)
		;
	disk_fixture_close(d);
	assert_true(disk_fixture_has(d, "00000002.log"));
	return n;
}

/* Open while reads fail: nothing is missed, or it does not open; and no harm is
 * done to what was not read.  Return whether a read failed. */
static bool
expect_all_or_none(struct disk_fixture *d, unsigned n, int error)
{
	bool opened = disk_fixture_try(d);
	bool failed = read_fails.countdown < 0;

	if (opened) {
		fail_next(&read_fails, 0, 0, 0);
		bad_to = 0;
		disk_fixture_expect(d, 0, n);
		disk_fixture_close(d);
	} else {
		assert_int_equal(errno, error);
		assert_string_not_equal(d->error, "");
	}
	assert_int_equal(d->reports, 0);
	return failed;
}

/* S1: each read of an open fails, once or from then on. */
static void
fail_each_read(struct disk_fixture *d, bool indexed, int error, int times)
{
	unsigned n = fill_segments(d, indexed);
	bool failed = true;
	int after = 0;

	for (; failed; after++) {
		if (!indexed)
			unlinkat(d->dir, "00000001.idx", 0);
		fail_next(&read_fails, error, after, times);
		failed = expect_all_or_none(d, n, error);
	}
	assert_true(after > 5);
	fail_next(&read_fails, 0, 0, 0);
	disk_fixture_open(d);
	disk_fixture_expect(d, 0, n);
	assert_int_equal(d->reports, 0);
}

static void
test_each_read_fails(void **state)
{
	fail_each_read(*state, false, EIO, 1);
}

static void
test_each_read_fails_on(void **state)
{
	fail_each_read(*state, false, EIO, 100000);
}

static void
test_each_read_fails_with_index(void **state)
{
	fail_each_read(*state, true, EIO, 100000);
}

static void
test_each_read_without_memory(void **state)
{
	fail_each_read(*state, false, ENOMEM, 1);
}

/* S1: each page in turn cannot be read, in all segments. */
static void
test_bad_pages(void **state)
{
	struct disk_fixture *d = *state;
	unsigned n = fill_segments(d, false), opened = 0;

	for (off_t page = 0; page < SEGMENT; page += 4096) {
		unlinkat(d->dir, "00000001.idx", 0);
		bad_from = page + 100;
		bad_to = bad_from + 512;
		expect_all_or_none(d, n, EIO);
		opened += bad_to == 0;
		bad_to = 0;
	}
	/* Where only bodies are lost it opens. */
	assert_true(opened > 20);
	disk_fixture_open(d);
	disk_fixture_expect(d, 0, n);
	assert_int_equal(d->reports, 0);
}

static void
test_index_cannot_be_written(void **state)
{
	struct disk_fixture *d = *state;

	disk_fixture_open(d);
	for (unsigned key = 0; key < 12; key++)
		assert_int_equal(
		    disk_fixture_append(d, key, 100000, 0, NULL), 0);
	for (int after = 0; after < 2; after++) {
		disk_fixture_close(d);
		fail_next(&write_fails, ENOSPC, after, 1);
		disk_fixture_open(d);
		assert_false(disk_fixture_has(d, "00000001.idx"));
		disk_fixture_expect(d, 0, 12);
	}
	disk_fixture_reopen(d);
	assert_true(disk_fixture_has(d, "00000001.idx"));
}

static unsigned
open_files(void)
{
	DIR *dir = opendir("/proc/self/fd");
	unsigned n = 0;

	while (dir != NULL && readdir(dir) != NULL)
		n++;
	closedir(dir);
	return n;
}

/* Allocation after allocation of opening fails, and nothing is left behind. */
static void
no_memory(struct disk_fixture *d)
{
	unsigned files = open_files();
	int n = 0;

	d->settings.replay = NULL;
	for (;; n++) {
		bool opened;

		failing_after(n);
		opened = disk_fixture_try(d);
		if (!failing_ended())
			break;
		/* Without an index one can do. */
		if (opened) {
			disk_fixture_close(d);
			continue;
		}
		assert_int_equal(errno, ENOMEM);
		assert_string_not_equal(d->error, "");
		assert_int_equal(open_files(), files);
	}
	assert_non_null(d->log);
	assert_true(n > 5);
}

static void
test_no_memory_without_index(void **state)
{
	struct disk_fixture *d = *state;

	disk_fixture_open(d);
	for (unsigned key = 0; key < 4; key++)
		assert_int_equal(
		    disk_fixture_append(d, key, 400000, 0, NULL), 0);
	assert_int_equal(disk_fixture_append_group(d, 4, 9, 100, 0), 0);
	disk_fixture_close(d);
	no_memory(d);
}

static void
test_no_memory_with_index(void **state)
{
	struct disk_fixture *d = *state;

	disk_fixture_open(d);
	for (unsigned key = 0; key < 4; key++)
		assert_int_equal(
		    disk_fixture_append(d, key, 400000, 0, NULL), 0);
	disk_fixture_reopen(d);
	disk_fixture_close(d);
	no_memory(d);
}

struct crowd {
	struct disk_fixture *d;
	unsigned first;
	bool kept[100];
};

static void *
append_some(void *user)
{
	struct crowd *c = user;

	for (unsigned i = 0; i < 100; i++) {
		c->kept[i] =
		    disk_fixture_append(c->d, c->first + i, 700, 0, NULL) == 0;
		if (c->first == 0 && i % 20 == 10)
			fail_next(&sync_fails, EIO, 3, 1);
	}
	return NULL;
}

/* Each sync that fails refuses all that wait for it; what is kept is kept. */
static void
test_crowd(void **state)
{
	static struct crowd crowd[16];
	struct disk_fixture *d = *state;
	unsigned kept = 0, found = 0;
	pthread_t threads[16];

	disk_fixture_open(d);
	for (unsigned i = 0; i < 16; i++) {
		crowd[i].d = d;
		crowd[i].first = i * 100;
		assert_int_equal(
		    pthread_create(&threads[i], NULL, append_some, &crowd[i]),
		    0);
	}
	for (unsigned i = 0; i < 16; i++)
		pthread_join(threads[i], NULL);
	fail_next(&sync_fails, 0, 0, 0);
	for (unsigned i = 0; i < 1600; i++)
		kept += crowd[i / 100].kept[i % 100];
	assert_int_equal(stats_of(d).live_records, kept);
	assert_true(stats_of(d).failures > 0 && kept < 1600);
	append_one(d, 5000);
	disk_fixture_reopen(d);
	for (size_t i = 0; i + 1 < d->count; i++) {
		const struct seen *s = &d->seen[i];

		assert_true(crowd[s->key / 100].kept[s->key % 100]);
		disk_fixture_check(d, s);
		found++;
	}
	assert_int_equal(found, kept);
	assert_int_equal(d->reports, 0);
}

int
main(void)
{
#define CASE(name) \
	cmocka_unit_test_setup_teardown(name, setup, disk_fixture_teardown)
	const struct CMUnitTest tests[] = {
		CASE(test_sync_fails),
		CASE(test_write_fails),
		CASE(test_failed_file_is_not_recycled),
		CASE(test_sync_fails_on_full_disk),
		CASE(test_sync_fails_at_the_end),
		CASE(test_sync_fails_of_what_was_begun),
		CASE(test_sync_fails_of_many),
		CASE(test_write_fails_of_what_is_begun),
		CASE(test_sync_fails_again),
		CASE(test_segment_cannot_be_begun),
		CASE(test_disk_full),
		CASE(test_disk_full_of_garbage),
		CASE(test_disk_full_from_the_start),
		CASE(test_cannot_allocate_ahead),
		CASE(test_spare_cannot_be_filled),
		CASE(test_first_segment_cannot_be_filled),
		CASE(test_each_read_fails),
		CASE(test_each_read_fails_on),
		CASE(test_each_read_fails_with_index),
		CASE(test_each_read_without_memory),
		CASE(test_bad_pages),
		CASE(test_index_cannot_be_written),
		CASE(test_no_memory_without_index),
		CASE(test_no_memory_with_index),
		CASE(test_crowd),
	};
#undef CASE

	return cmocka_run_group_tests(tests, NULL, NULL);
}
