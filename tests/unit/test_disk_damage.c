/* SPDX-License-Identifier: MIT */
/* The log with bytes lost, changed and made up.  Where that is done to each
 * byte in turn, BYTE_STEP (1) lets only each so-many-th be: sanitizers take
 * long over it. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "disk_fixture.h"
#include "journal/disk/format.h"
#include "journal/disk/state.h"

#include "test.h"

#define PAGE 4096

static const char first[] = "00000001.log";
static const char second[] = "00000002.log";

/* Keys 0 to 2 alone, 3 to 5 in a group, 6 alone. */
#define KEYS 7

/* The start of a segment, as it was written. */
static struct {
	char bytes[PAGE + 2048];
	uint32_t end;
	struct seen seen[KEYS];
} image;

static unsigned step;

static void
write_at(struct disk_fixture *d, const char *name, const void *data, size_t len,
    long offset)
{
	int fd = openat(d->dir, name, O_RDWR | O_CREAT, 0600);

	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, data, len, offset), len);
	close(fd);
}

static void
cut_file(struct disk_fixture *d, const char *name, off_t size)
{
	int fd = openat(d->dir, name, O_RDWR);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, size), 0);
	close(fd);
}

/* Append all keys and keep the image; the log is closed then. */
static void
fill(struct disk_fixture *d)
{
	int fd;

	disk_fixture_open(d);
	for (unsigned key = 0; key < 3; key++)
		assert_int_equal(
		    disk_fixture_append(d, key, 20 + key, 0, NULL), 0);
	assert_int_equal(disk_fixture_append_group(d, 3, 3, 30, 0), 0);
	assert_int_equal(disk_fixture_append(d, 6, 9, 0, NULL), 0);
	disk_fixture_reopen(d);
	disk_fixture_expect(d, 0, KEYS);
	memcpy(image.seen, d->seen, sizeof(image.seen));
	image.end =
	    smtpd__disk_format_ref_offset(d->seen[KEYS - 1].record.ref) +
	    d->seen[KEYS - 1].record.size;
	disk_fixture_close(d);
	fd = openat(d->dir, first, O_RDONLY);
	assert_int_equal(
	    read(fd, image.bytes, sizeof(image.bytes)), sizeof(image.bytes));
	assert_true(image.end < sizeof(image.bytes));
	close(fd);
}

/* What is between the end and the last page, when nothing was sealed. */
static void
restore(struct disk_fixture *d)
{
	disk_fixture_close(d);
	write_at(d, first, image.bytes, sizeof(image.bytes), 0);
}

/* Where the bytes of record R end that are not padding. */
static uint32_t
end_of(const struct smtpd_journal_record *r)
{
	return smtpd__disk_format_ref_offset(r->ref) + 40 + r->head_len +
	    r->body_len;
}

/* How many keys are there when all from OFFSET on is lost. */
static unsigned
keys_before(uint32_t offset)
{
	unsigned n = 0;

	while (n < KEYS && end_of(&image.seen[n].record) <= offset)
		n++;
	return n > 3 && n < 6 ? 3 : n;
}

/* Lose all from each byte on: what is whole is there, and the log goes on. */
static void
lose_tails(struct disk_fixture *d, int byte)
{
	char lost[sizeof(image.bytes)];

	fill(d);
	memset(lost, byte, sizeof(lost));
	for (uint32_t at = PAGE; at <= image.end; at += step) {
		unsigned n = keys_before(at);

		restore(d);
		write_at(d, first, lost, sizeof(lost) - at, at);
		d->settings.read_only = true;
		disk_fixture_open(d);
		disk_fixture_expect(d, 0, n);
		d->settings.read_only = false;
		disk_fixture_reopen(d);
		disk_fixture_expect(d, 0, n);
		assert_int_equal(disk_fixture_append(d, n, 20, 0, NULL), 0);
		disk_fixture_reopen(d);
		disk_fixture_expect(d, 0, n + 1);
		assert_int_equal(d->reports, 0);
	}
}

static void
test_lost_as_zeros(void **state)
{
	lose_tails(*state, 0);
}

static void
test_lost_as_garbage(void **state)
{
	lose_tails(*state, 0xA5);
}

/* A file that was cut off is not written to again. */
static void
test_file_cut(void **state)
{
	for (uint32_t i = 0; i < 12; i++) {
		struct disk_fixture *d;
		uint32_t at;

		if (i > 0)
			assert_int_equal(disk_fixture_setup(state), 0);
		d = *state;
		fill(d);
		at = PAGE + i * (image.end - PAGE) / 11;
		cut_file(d, first, at);
		disk_fixture_open(d);
		disk_fixture_expect(d, 0, keys_before(at));
		assert_int_equal(
		    disk_fixture_append(d, d->count, 5, 0, NULL), 0);
		assert_true(disk_fixture_has(d, second));
		disk_fixture_reopen(d);
		disk_fixture_expect(d, 0, keys_before(at) + 1);
		if (i < 11)
			disk_fixture_teardown(state);
	}
}

/* Which key the byte at OFFSET belongs to; KEYS: none, or it is padding. */
static unsigned
key_at(uint32_t offset)
{
	for (unsigned i = 0; i < KEYS; i++) {
		const struct smtpd_journal_record *r = &image.seen[i].record;

		if (offset >= smtpd__disk_format_ref_offset(r->ref) &&
		    offset < end_of(r))
			return i;
	}
	return KEYS;
}

/* Just the keys but those from FROM to TO - 1 are there. */
static void
expect_without(struct disk_fixture *d, unsigned from, unsigned to)
{
	unsigned key = 0;

	for (size_t i = 0; i < d->count; i++, key++) {
		if (key == from)
			key = to;
		if (key >= KEYS)
			break;
		assert_int_equal(d->seen[i].key, key);
		disk_fixture_check(d, &d->seen[i]);
	}
	if (key == from)
		key = to;
	assert_true(key >= KEYS);
}

/* Change each byte in turn; the record that it was in is missed, and told of if
 * it can be known that it was there. */
static void
flip_all(struct disk_fixture *d, bool sealed)
{
	d->settings.read_only = true;
	for (uint32_t at = 0; at < image.end; at += step) {
		unsigned key;

		/* Nothing stands behind the header in its page. */
		if (at >= 64 && at < PAGE)
			at = PAGE;
		key = key_at(at);
		for (int i = 0; i < 2; i++) {
			int bits = i == 0 ? 1 << at % 8 : 255;

			disk_fixture_flip(d, first, at, bits);
			disk_fixture_reopen(d);
			if (key == KEYS)
				expect_without(d, KEYS, KEYS);
			else
				expect_without(d, key, key + 1);
			if (key == KEYS || (!sealed && key == KEYS - 1))
				assert_int_equal(d->damaged, 0);
			else
				assert_int_equal(
				    d->damaged, image.seen[key].record.size);
			disk_fixture_flip(d, first, at, bits);
		}
	}
}

static void
test_flips(void **state)
{
	fill(*state);
	flip_all(*state, false);
}

static void
test_flips_in_sealed(void **state)
{
	struct disk_fixture *d = *state;

	fill(d);
	disk_fixture_open(d);
	for (unsigned key = KEYS; !disk_fixture_has(d, second); key++)
		assert_int_equal(
		    disk_fixture_append(d, key, 300000, 0, NULL), 0);
	flip_all(d, true);
}

/* With the index everything is there, but what is damaged is not given. */
static void
test_flip_behind_index(void **state)
{
	struct disk_fixture *d = *state;
	struct smtpd_journal_record record;
	const void *body;

	fill(d);
	disk_fixture_open(d);
	for (unsigned key = KEYS; !disk_fixture_has(d, second); key++)
		assert_int_equal(
		    disk_fixture_append(d, key, 300000, 0, NULL), 0);
	while (smtpd__disk_prepare(d->log) == 1)
		;
	disk_fixture_flip(d, first,
	    smtpd__disk_format_ref_offset(image.seen[2].record.ref) + 41, 1);
	disk_fixture_reopen(d);
	assert_int_equal(d->seen[2].key, 2);
	assert_null(smtpd__disk_read(
	    d->log, d->seen[2].record.ref, SIZE_MAX, &record, &body));
	assert_int_equal(errno, EBADMSG);
	disk_fixture_check(d, &d->seen[3]);
}

static int
none_lives(const struct seen *s)
{
	(void)s;
	return 0;
}

/* S2: groups whose last record is damaged, at the end, are set aside whole. */
static void
test_torn_group(void **state)
{
	struct disk_fixture *d = *state;
	uint32_t at;

	fill(d);
	disk_fixture_open(d);
	assert_int_equal(disk_fixture_append_group(d, 7, 3, 30, 0), 0);
	disk_fixture_reopen(d);
	at = smtpd__disk_format_ref_offset(d->seen[9].record.ref);
	disk_fixture_flip(d, first, at + 50, 4);
	disk_fixture_reopen(d);
	disk_fixture_expect(d, 0, 7);
	assert_int_equal(d->reports, 1);
	assert_true(d->damaged > 2 * d->seen[6].record.size);
	disk_fixture_reopen(d);
	disk_fixture_expect(d, 0, 7);
	assert_int_equal(d->reports, 0);
}

/* Append the same again as keys from 7 on: records that no later one vouches
 * for, as they are of one batch, or the log was idle. */
static void
append_unvouched(struct disk_fixture *d, unsigned n, struct seen *seen)
{
	uint64_t durable = d->log->durable;

	for (unsigned key = 7; key < 7 + n; key++) {
		assert_int_equal(disk_fixture_append(d, key, 30, 0, NULL), 0);
		d->log->durable = durable;
	}
	disk_fixture_reopen(d);
	disk_fixture_expect(d, 0, 7 + n);
	memcpy(seen, &d->seen[7], n * sizeof(*seen));
	disk_fixture_close(d);
}

/* S2: one bit of a record behind the last one that was vouched for is flipped,
 * bit by bit: all others are there, it is set aside, and that stays so. */
static void
test_flip_in_unvouched(void **state)
{
	struct disk_fixture *d = *state;
	static char bytes[sizeof(image.bytes)];
	struct seen seen[4];
	int fd;

	fill(d);
	disk_fixture_open(d);
	append_unvouched(d, 4, seen);
	fd = openat(d->dir, first, O_RDONLY);
	assert_int_equal(read(fd, bytes, sizeof(bytes)), sizeof(bytes));
	close(fd);
	for (unsigned key = 7; key < 11; key++) {
		const struct smtpd_journal_record *r = &seen[key - 7].record;
		uint32_t at = smtpd__disk_format_ref_offset(r->ref);

		for (; at < end_of(r); at += step) {
			disk_fixture_close(d);
			write_at(d, first, bytes, sizeof(bytes), 0);
			disk_fixture_flip(d, first, at, 1 << at % 8);
			disk_fixture_open(d);
			assert_int_equal(d->count, 10);
			assert_int_equal(d->seen[9].key, key == 10 ? 9 : 10);
			assert_true(d->damaged + 8 > r->size);
			assert_int_equal(
			    disk_fixture_append(d, 11, 30, 0, NULL), 0);
			disk_fixture_reopen(d);
			assert_int_equal(d->count, 11);
		}
	}
}

/* S2: while it cannot be set aside, nothing is made void: it goes on in another
 * segment, and is set aside later. */
static void
test_tail_cannot_be_kept(void **state)
{
	struct disk_fixture *d = *state;
	struct seen seen[1];
	uint32_t at;

	fill(d);
	disk_fixture_open(d);
	append_unvouched(d, 1, seen);
	at = smtpd__disk_format_ref_offset(seen[0].record.ref);
	disk_fixture_flip(d, first, at + 50, 4);
	d->unkept = true;
	d->live = none_lives;
	disk_fixture_open(d);
	assert_int_equal(d->reports, 1);
	assert_true(disk_fixture_has(d, second));
	assert_int_equal(disk_fixture_append(d, 8, 30, 0, NULL), 0);
	smtpd__disk_prepare(d->log);
	assert_int_equal(smtpd__disk_recycle(d->log), 0);
	disk_fixture_reopen(d);
	assert_int_equal(d->count, 8);
	disk_fixture_flip(d, first, at + 50, 4);
	d->live = NULL;
	disk_fixture_reopen(d);
	assert_int_equal(d->count, 9);
	disk_fixture_flip(d, first, at + 50, 4);
	d->live = none_lives;
	disk_fixture_reopen(d);
	assert_int_equal(smtpd__disk_recycle(d->log), 0);
	d->unkept = false;
	smtpd__disk_prepare(d->log);
	assert_int_equal(smtpd__disk_recycle(d->log), 1);
}

/* What lies behind the cut does not come alive when new records end where it
 * begins. */
static void
test_ghosts(void **state)
{
	struct disk_fixture *d = *state;
	uint32_t at;

	fill(d);
	disk_fixture_open(d);
	assert_int_equal(disk_fixture_append_group(d, 7, 3, 30, 0), 0);
	disk_fixture_reopen(d);
	at = smtpd__disk_format_ref_offset(d->seen[7].record.ref);
	disk_fixture_flip(d, first, at + 50, 4);
	disk_fixture_reopen(d);
	disk_fixture_expect(d, 0, 7);
	assert_int_equal(disk_fixture_append(d, 7, 30, 0, NULL), 0);
	disk_fixture_reopen(d);
	disk_fixture_expect(d, 0, 8);
}

/* A body that looks like records is not taken for some, even where the
 * record around it is damaged. */
static void
test_records_in_body(void **state)
{
	struct disk_fixture *d = *state;
	struct iovec body = { image.bytes + PAGE, 0 };
	struct smtpd_journal_record e = { .head = "7",
		.head_len = 1,
		.body = &body,
		.body_count = 1,
		.live = true };

	fill(d);
	body.iov_len = image.end - PAGE;
	disk_fixture_open(d);
	assert_int_equal(smtpd__disk_append(d->log, &e, 1, 0), 0);
	assert_int_equal(disk_fixture_append(d, 8, 30, 0, NULL), 0);
	for (long i = 0; i < 3; i++) {
		disk_fixture_flip(
		    d, first, smtpd__disk_format_ref_offset(e.ref) + 4 * i, 4);
		disk_fixture_reopen(d);
		assert_int_equal(d->count, 8);
		assert_int_equal(d->seen[7].key, 8);
		assert_int_equal(d->damaged, e.size);
		disk_fixture_flip(
		    d, first, smtpd__disk_format_ref_offset(e.ref) + 4 * i, 4);
	}
}

static void
append_segments(struct disk_fixture *d, unsigned from, unsigned to)
{
	disk_fixture_open(d);
	for (unsigned key = from; key < to; key++)
		assert_int_equal(
		    disk_fixture_append(d, key, 100000, 0, NULL), 0);
	disk_fixture_close(d);
}

/* All keys below N of the other segments are there, and it goes on. */
static void
expect_others(struct disk_fixture *d, unsigned n, uint32_t without)
{
	size_t others = 0;

	disk_fixture_open(d);
	for (size_t i = 0; i < d->count; i++) {
		assert_int_not_equal(
		    smtpd__disk_format_ref_segment(d->seen[i].record.ref),
		    without);
		disk_fixture_check(d, &d->seen[i]);
	}
	others = d->count;
	assert_true(others >= n - 11 && others <= n - 8);
	assert_true(d->reports > 0);
	assert_int_equal(disk_fixture_append(d, n, 1000, 0, NULL), 0);
	disk_fixture_reopen(d);
	assert_int_equal(d->count, others + 1);
	assert_int_equal(d->seen[others].key, n);
}

static void
test_segment_missing(void **state)
{
	struct disk_fixture *d = *state;

	append_segments(d, 0, 40);
	assert_int_equal(unlinkat(d->dir, second, 0), 0);
	expect_others(d, 40, 2);
	assert_int_equal(d->damaged, 0);
	assert_string_equal(d->why, "the segment is missing");
}

static void
test_segment_empty(void **state)
{
	struct disk_fixture *d = *state;

	append_segments(d, 0, 40);
	cut_file(d, second, 0);
	expect_others(d, 40, 2);
}

static void
test_segment_of_garbage(void **state)
{
	struct disk_fixture *d = *state;
	char *garbage = malloc(SEGMENT);

	assert_non_null(garbage);
	memset(garbage, 0x5C, SEGMENT);
	append_segments(d, 0, 40);
	write_at(d, second, garbage, SEGMENT, 0);
	expect_others(d, 40, 2);
	assert_true(d->damaged >= SEGMENT);
	free(garbage);
}

/* It is sealed, then, and goes when its turn comes. */
static void
test_last_segment_of_garbage(void **state)
{
	struct disk_fixture *d = *state;
	char *garbage = malloc(SEGMENT);

	assert_non_null(garbage);
	memset(garbage, 0, SEGMENT);
	append_segments(d, 0, 5);
	write_at(d, "000000ff.log", garbage, SEGMENT, 0);
	disk_fixture_open(d);
	assert_int_equal(d->damaged, SEGMENT);
	disk_fixture_expect(d, 0, 5);
	assert_true(disk_fixture_has(d, "00000100.log"));
	assert_int_equal(disk_fixture_append(d, 5, 1000, 0, NULL), 0);
	disk_fixture_reopen(d);
	disk_fixture_expect(d, 0, 6);
	for (size_t i = 0; i < 5; i++)
		smtpd__disk_release(
		    d->log, d->seen[i].record.ref, d->seen[i].record.size);
	assert_int_equal(smtpd__disk_recycle(d->log), 2);
	disk_fixture_reopen(d);
	disk_fixture_expect(d, 5, 6);
	assert_int_equal(d->reports, 0);
	free(garbage);
}

/* The copy at the other end is as good. */
static void
test_either_header(void **state)
{
	static const long offsets[] = { 5, SEGMENT - PAGE + 40 };
	struct disk_fixture *d = *state;

	append_segments(d, 0, 40);
	for (int i = 0; i < 2; i++) {
		disk_fixture_flip(d, second, offsets[i], 1);
		disk_fixture_open(d);
		disk_fixture_expect(d, 0, 40);
		assert_int_equal(d->reports, 0);
		disk_fixture_close(d);
		disk_fixture_flip(d, second, offsets[i], 1);
	}
}

/* Then nobody says where the one before it ends, and its index is not to be
 * trusted. */
static void
test_no_header(void **state)
{
	struct disk_fixture *d = *state;

	append_segments(d, 0, 40);
	disk_fixture_flip(d, second, 5, 1);
	disk_fixture_flip(d, second, SEGMENT - PAGE + 5, 1);
	expect_others(d, 40, 2);
	assert_int_equal(d->seen[0].key, 0);
	disk_fixture_forget(d);
	assert_int_equal(disk_fixture_walk(d->log, 1, disk_fixture_note, d), 0);
	disk_fixture_expect(d, 0, (unsigned)d->count);
	assert_true(d->count >= 7);
}

/* Nobody counts on a segment under another name. */
static void
test_segment_renamed(void **state)
{
	struct disk_fixture *d = *state;

	append_segments(d, 0, 40);
	assert_int_equal(renameat(d->dir, second, d->dir, "00000077.log"), 0);
	disk_fixture_open(d);
	for (size_t i = 0; i < d->count; i++)
		disk_fixture_check(d, &d->seen[i]);
	assert_int_equal(d->damaged, SEGMENT);
	assert_int_equal(disk_fixture_append(d, 40, 1000, 0, NULL), 0);
}

int
main(void)
{
#define CASE(name)                       \
	cmocka_unit_test_setup_teardown( \
	    name, disk_fixture_setup, disk_fixture_teardown)
	const struct CMUnitTest tests[] = {
		CASE(test_lost_as_zeros),
		CASE(test_lost_as_garbage),
		CASE(test_file_cut),
		CASE(test_flips),
		CASE(test_flips_in_sealed),
		CASE(test_flip_behind_index),
		CASE(test_torn_group),
		CASE(test_flip_in_unvouched),
		CASE(test_tail_cannot_be_kept),
		CASE(test_ghosts),
		CASE(test_records_in_body),
		CASE(test_segment_missing),
		CASE(test_segment_empty),
		CASE(test_segment_of_garbage),
		CASE(test_last_segment_of_garbage),
		CASE(test_either_header),
		CASE(test_no_header),
		CASE(test_segment_renamed),
	};
#undef CASE

	step = test_number("BYTE_STEP", 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
