/* SPDX-License-Identifier: MIT */
#include "disk_fixture.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "journal/disk/each.h"
#include "journal/disk/segments.h"
#include "test.h"

#define PIECE 7 /* of a body */

int
disk_fixture_note(void *user, const struct smtpd_journal_record *record)
{
	struct disk_fixture *d = user;
	char key[16];
	struct seen *s;

	if (d->count == d->room) {
		d->room = d->room * 2 + 64;
		s = realloc(d->seen, d->room * sizeof(*s));
		if (s == NULL)
			return -1;
		d->seen = s;
	}
	assert_true(record->head_len < sizeof(key));
	memcpy(key, record->head, record->head_len);
	key[record->head_len] = '\0';
	s = &d->seen[d->count++];
	s->record = *record;
	s->record.head = NULL;
	s->key = (unsigned)strtoul(key, NULL, 10);
	return 0;
}

static int
replay(void *user, struct smtpd_disk *log,
    const struct smtpd_journal_record *record)
{
	struct disk_fixture *d = user;

	(void)log;
	if (disk_fixture_note(d, record) == -1)
		return -1;
	return d->live == NULL || d->live(&d->seen[d->count - 1]);
}

static int
damaged(void *user, const char *name, uint64_t offset, const void *data,
    size_t len, const char *why)
{
	struct disk_fixture *d = user;

	(void)offset;
	assert_true(disk_fixture_has(d, name) || len == 0);
	assert_true((data != NULL) == (len > 0));
	d->damaged += len;
	d->reports++;
	snprintf(d->why, sizeof(d->why), "%s", why);
	return d->unkept ? -1 : 0;
}

int
disk_fixture_setup(void **state)
{
	struct disk_fixture *d = calloc(1, sizeof(*d));

	if (d == NULL)
		return -1;
	snprintf(d->path, sizeof(d->path), "/var/tmp/test_log.XXXXXX");
	if (mkdtemp(d->path) == NULL)
		return -1;
	d->dir = open(d->path, O_RDONLY | O_DIRECTORY);
	d->settings.segment_size = SEGMENT;
	d->settings.replay = replay;
	d->settings.damaged = damaged;
	d->settings.user = d;
	*state = d;
	return d->dir >= 0 ? 0 : -1;
}

int
disk_fixture_teardown(void **state)
{
	struct disk_fixture *d = *state;
	char command[96];
	int rc;

	disk_fixture_close(d);
	close(d->dir);
	snprintf(command, sizeof(command), "rm -rf %s", d->path);
	rc = system(command);
	free(d->seen);
	free(d);
	return rc;
}

void
disk_fixture_forget(struct disk_fixture *d)
{
	d->count = 0;
	d->damaged = 0;
	d->reports = 0;
	d->why[0] = '\0';
}

bool
disk_fixture_try(struct disk_fixture *d)
{
	disk_fixture_forget(d);
	d->log =
	    smtpd__disk_open(d->dir, &d->settings, d->error, sizeof(d->error));
	return d->log != NULL;
}

void
disk_fixture_open(struct disk_fixture *d)
{
	if (!disk_fixture_try(d))
		fail_msg("%s", d->error);
}

void
disk_fixture_close(struct disk_fixture *d)
{
	smtpd__disk_close(d->log);
	d->log = NULL;
}

void
disk_fixture_reopen(struct disk_fixture *d)
{
	disk_fixture_close(d);
	disk_fixture_open(d);
}

void
disk_fixture_body(unsigned key, char *body, size_t len)
{
	for (size_t i = 0; i < len; i++)
		body[i] = (char)((key * 31 + i * 7) % 251);
}

int
disk_fixture_append_group(
    struct disk_fixture *d, unsigned key, size_t n, size_t len, unsigned flags)
{
	struct smtpd_journal_record entries[64] = { { .type = 0 } };
	char heads[64][16];
	struct iovec body[64];
	int rc;

	assert_true(n <= 64);
	for (size_t i = 0; i < n; i++) {
		body[i].iov_base = malloc(len + 1);
		body[i].iov_len = len;
		assert_non_null(body[i].iov_base);
		disk_fixture_body(key + (unsigned)i, body[i].iov_base, len);
		snprintf(heads[i], sizeof(heads[i]), "%u", key + (unsigned)i);
		entries[i].type = (uint8_t)(key + i);
		entries[i].live = true;
		entries[i].head = heads[i];
		entries[i].head_len = strlen(heads[i]);
		entries[i].body = &body[i];
		entries[i].body_count = 1;
	}
	rc = smtpd__disk_append(d->log, entries, n, flags);
	for (size_t i = 0; i < n; i++)
		free(body[i].iov_base);
	return rc;
}

int
disk_fixture_append(struct disk_fixture *d, unsigned key, size_t len,
    unsigned flags, struct smtpd_journal_record *entry)
{
	size_t first = len < PIECE ? len : PIECE;
	char *bytes = malloc(len + 1);
	char head[16];
	struct iovec body[3] = {
		{ bytes, first },
		{ NULL, 0 },
		{ bytes + first, len - first },
	};
	struct smtpd_journal_record e = {
		.type = (uint8_t)key,
		.live = true,
		.head = head,
		.body = body,
		.body_count = 3,
	};
	int rc;

	if (bytes == NULL)
		return -1;
	disk_fixture_body(key, bytes, len);
	e.head_len = (size_t)snprintf(head, sizeof(head), "%u", key);
	rc = smtpd__disk_append(d->log, &e, 1, flags);
	free(bytes);
	if (entry != NULL)
		*entry = e;
	return rc;
}

void
disk_fixture_check(struct disk_fixture *d, const struct seen *s)
{
	struct smtpd_journal_record record;
	const void *body = NULL;
	void *memory =
	    smtpd__disk_read(d->log, s->record.ref, SIZE_MAX, &record, &body);
	char *expected = malloc(s->record.body_len + 1);
	char head[16];
	int len = snprintf(head, sizeof(head), "%u", s->key);

	assert_non_null(memory);
	assert_non_null(expected);
	assert_int_equal(record.type, (uint8_t)s->key);
	assert_int_equal(record.sequence, s->record.sequence);
	assert_int_equal(record.size, s->record.size);
	assert_int_equal(record.head_len, len);
	assert_memory_equal(record.head, head, (size_t)len);
	assert_int_equal(record.body_len, s->record.body_len);
	disk_fixture_body(s->key, expected, record.body_len);
	assert_int_equal(memcmp(body, expected, record.body_len), 0);
	free(expected);
	free(memory);
}

void
disk_fixture_expect(struct disk_fixture *d, unsigned from, unsigned to)
{
	assert_int_equal(d->count, to - from);
	for (size_t i = 0; i < d->count; i++) {
		assert_int_equal(d->seen[i].key, from + i);
		disk_fixture_check(d, &d->seen[i]);
	}
}

void
disk_fixture_flip(
    struct disk_fixture *d, const char *name, long offset, int bits)
{
	int fd = openat(d->dir, name, O_RDWR);
	unsigned char byte;

	assert_true(fd >= 0);
	assert_int_equal(pread(fd, &byte, 1, offset), 1);
	byte ^= (unsigned char)bits;
	assert_int_equal(pwrite(fd, &byte, 1, offset), 1);
	close(fd);
}

bool
disk_fixture_has(struct disk_fixture *d, const char *name)
{
	struct stat st;

	return fstatat(d->dir, name, &st, 0) == 0;
}

int
disk_fixture_walk(struct smtpd_disk *log, uint32_t segment,
    int (*fn)(void *user, const struct smtpd_journal_record *record),
    void *user)
{
	struct smtpd_disk_segment copy = { .number = 0 };
	const struct smtpd_disk_segment *s;
	struct smtpd_disk_found found;

	pthread_mutex_lock(&log->lock);
	s = smtpd__disk_segments_find(log, segment);
	if (s != NULL && s != &log->segments[log->count - 1])
		copy = *s;
	pthread_mutex_unlock(&log->lock);
	if (copy.number != 0)
		return smtpd__disk_each(log, &copy, true, fn, user, &found);
	errno = ENOENT;
	return -1;
}

uint32_t
disk_fixture_oldest(struct smtpd_disk *log)
{
	return log->count > 1 ? log->segments[0].number : 0;
}
