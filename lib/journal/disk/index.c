/* SPDX-License-Identifier: MIT */
#include "journal/disk/index.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/little.h"
#include "journal/disk/file.h"
#include "journal/disk/window.h"
#include "os/fd.h"
#include "os/file.h"

#define HEADER 64u
#define ENTRY  24u

/* How much is written, or summed up, at a time. */
#define STEP 65536u

static const char index_magic[8] = { 'S', 'M', 'T', 'P', 'D', 'I', 'D', 'X' };

struct smtpd_disk_index_writer {
	const struct smtpd_crc32c *crc;
	int dir;
	int fd;
	int error; /* the first failure */
	char name[SMTPD_DISK_NAME];
	uint64_t length; /* of the entries */
	uint32_t sum;    /* over them */
	size_t len;
	uint8_t buf[STEP + ENTRY + SMTPD_JOURNAL_HEAD_MAX];
};

struct smtpd_disk_index_writer *
smtpd__disk_index_begin(
    int dir, const struct smtpd_crc32c *crc, uint32_t number)
{
	struct smtpd_disk_index_writer *w = malloc(sizeof(*w));

	if (w == NULL)
		return NULL;
	w->crc = crc;
	w->dir = dir;
	w->error = 0;
	w->length = 0;
	w->sum = 0;
	w->len = 0;
	smtpd__disk_format_name(w->name, number, SMTPD_DISK_INDEX);
	w->fd = openat(
	    dir, w->name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (w->fd != -1)
		return w;
	free(w);
	return NULL;
}

static void
flush_entries(struct smtpd_disk_index_writer *w)
{
	if (w->error == 0 &&
	    smtpd__file_write_at(w->fd, w->buf, w->len, HEADER + w->length) ==
		-1)
		w->error = errno;
	w->sum = smtpd__crc32c(w->crc, w->sum, w->buf, w->len);
	w->length += w->len;
	w->len = 0;
}

static size_t
entry_size(size_t head_len)
{
	return (ENTRY + head_len + 7) & ~(size_t)7;
}

void
smtpd__disk_index_add(struct smtpd_disk_index_writer *w,
    const struct smtpd_journal_record *record)
{
	uint8_t *p = w->buf + w->len;
	size_t size = entry_size(record->head_len);

	memset(p, 0, size);
	smtpd_put_u64(p, record->sequence);
	smtpd_put_u32(p + 8, smtpd__disk_format_ref_offset(record->ref));
	smtpd_put_u32(p + 12, (uint32_t)record->head_len);
	smtpd_put_u32(p + 16, record->body_len);
	p[20] = record->type;
	memcpy(p + ENTRY, record->head, record->head_len);
	w->len += size;
	if (w->len >= STEP)
		flush_entries(w);
}

static void
put_header(const struct smtpd_crc32c *crc,
    const struct smtpd_disk_index_key *key, uint64_t length, uint32_t sum,
    uint8_t *p)
{
	memset(p, 0, HEADER);
	memcpy(p, index_magic, sizeof(index_magic));
	smtpd_put_u32(p + 8, SMTPD_DISK_VERSION);
	smtpd_put_u32(p + 12, key->number);
	smtpd_put_u32(p + 16, key->mark);
	smtpd_put_u32(p + 20, key->end);
	smtpd_put_u64(p + 24, key->upto);
	smtpd_put_u64(p + 32, length);
	smtpd_put_u32(p + 40, sum);
	smtpd_put_u32(p + 60, smtpd__crc32c(crc, 0, p, 60));
}

int
smtpd__disk_index_end(
    struct smtpd_disk_index_writer *w, const struct smtpd_disk_index_key *key)
{
	uint8_t header[HEADER];
	int error;

	flush_entries(w);
	error = key == NULL ? ECANCELED : w->error;
	if (error == 0) {
		put_header(w->crc, key, w->length, w->sum, header);
		if (smtpd__file_write_at(w->fd, header, HEADER, 0) == -1)
			error = errno;
	}
	if (close(w->fd) == -1 && error == 0)
		error = errno;
	if (error != 0)
		unlinkat(w->dir, w->name, 0);
	free(w);
	errno = error;
	return error == 0 ? 0 : -1;
}

/* Whether the header is as it must be, and the entries are whole.  The window
 * is never too small for this. */
static bool
is_whole(struct smtpd_disk_window *w, const struct smtpd_crc32c *crc,
    const struct smtpd_disk_index_key *key, uint64_t *length)
{
	uint8_t expected[HEADER];
	const uint8_t *p = smtpd__disk_window_at(w, 0, HEADER);
	uint32_t sum = 0;
	uint64_t at;

	if (p == NULL)
		return false;
	*length = smtpd_get_u64(p + 32);
	put_header(crc, key, *length, smtpd_get_u32(p + 40), expected);
	if (memcmp(p, expected, HEADER) != 0 || w->file_size < HEADER ||
	    w->file_size - HEADER != *length)
		return false;
	for (at = 0; at < *length; at += STEP) {
		size_t len = *length - at < STEP ? *length - at : STEP;

		p = smtpd__disk_window_at(w, HEADER + at, len);
		if (p == NULL)
			return false;
		sum = smtpd__crc32c(crc, sum, p, len);
	}
	return sum == smtpd_get_u32(expected + 40);
}

/* Call FN for the entries, which are LENGTH bytes and were whole a moment
 * ago. */
static int
read_entries(struct smtpd_disk_window *w, uint32_t number, uint64_t length,
    int (*fn)(void *user, const struct smtpd_journal_record *record),
    void *user)
{
	struct smtpd_journal_record record = { .type = 0 };
	size_t size;
	int rc = 0;

	for (uint64_t at = 0; at < length && rc == 0; at += size) {
		const uint8_t *p = smtpd__disk_window_at(w, HEADER + at, ENTRY);

		if (p == NULL)
			return -1;
		record.sequence = smtpd_get_u64(p);
		record.ref =
		    smtpd__disk_format_ref(number, smtpd_get_u32(p + 8));
		record.head_len = smtpd_get_u32(p + 12);
		record.body_len = smtpd_get_u32(p + 16);
		record.type = p[20];
		record.size = (uint32_t)smtpd__disk_format_size(
		    record.head_len, record.body_len);
		size = entry_size(record.head_len);
		if (record.head_len > SMTPD_JOURNAL_HEAD_MAX ||
		    size > length - at) {
			errno = EIO;
			return -1;
		}
		p = smtpd__disk_window_at(w, HEADER + at, size);
		if (p == NULL)
			return -1;
		record.head = p + ENTRY;
		rc = fn(user, &record);
	}
	return rc;
}

bool
smtpd__disk_index_read(int dir, const struct smtpd_crc32c *crc,
    const struct smtpd_disk_index_key *key,
    int (*record)(void *user, const struct smtpd_journal_record *record),
    void *user, int *rc)
{
	struct smtpd_disk_window w;
	char name[SMTPD_DISK_NAME];
	uint64_t length;
	bool whole = false;
	int fd;

	smtpd__disk_format_name(name, key->number, SMTPD_DISK_INDEX);
	fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
	if (fd == -1)
		return false;
	if (smtpd__disk_window_init(&w, fd) == 0)
		whole = is_whole(&w, crc, key, &length);
	if (whole)
		*rc = read_entries(&w, key->number, length, record, user);
	smtpd__disk_window_finish(&w);
	smtpd__fd_close(fd);
	return whole;
}
