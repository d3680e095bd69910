/* SPDX-License-Identifier: MIT */
#include "journal/disk/read.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "journal/disk/segments.h"
#include "os/fd.h"
#include "os/file.h"

/* Open the segment that REF is in, and copy what is known of it, as it may be
 * recycled at any time. */
static int
open_segment(struct smtpd_disk *log, struct smtpd_record_ref ref,
    struct smtpd_disk_segment *copy)
{
	uint32_t number = smtpd__disk_format_ref_segment(ref);
	const struct smtpd_disk_segment *s;

	pthread_mutex_lock(&log->lock);
	s = smtpd__disk_segments_find(log, number);
	if (s != NULL)
		*copy = *s;
	pthread_mutex_unlock(&log->lock);
	if (s != NULL)
		return smtpd__disk_file_open(log->dir, number, true);
	errno = ENOENT;
	return -1;
}

/* Read the record at OFFSET of segment S, BODY_MAX bytes of its body at most,
 * and check what is complete. */
static uint8_t *
read_checked(const struct smtpd_disk *log, int fd,
    const struct smtpd_disk_segment *s, uint32_t offset, size_t body_max,
    struct smtpd_disk_record_header *h)
{
	uint8_t bytes[SMTPD_DISK_RECORD_HEADER];
	uint8_t *p;
	size_t size;
	int error = EBADMSG;

	if (smtpd__file_read_at(fd, bytes, sizeof(bytes), offset) == -1)
		return NULL;
	errno = EBADMSG;
	if (s->mark == 0 || !smtpd__disk_format_get_record(s->mark, bytes, h) ||
	    h->sequence < s->base || h->sequence > s->upto)
		return NULL;
	size = SMTPD_DISK_RECORD_HEADER + h->head_len +
	    (h->body_len < body_max ? h->body_len : body_max);
	p = malloc(size);
	if (p == NULL)
		return NULL;
	if (smtpd__file_read_at(fd, p, size, offset) == -1)
		error = errno;
	else if (smtpd__disk_format_head_checks(&log->crc, h, p) &&
	    (h->body_len > body_max ||
		smtpd__disk_format_body_checks(&log->crc, h, p)))
		return p;
	free(p);
	errno = error;
	return NULL;
}

/* The record whose header is H, and whose bytes are at P. */
static struct smtpd_journal_record
describe_record(struct smtpd_record_ref ref,
    const struct smtpd_disk_record_header *h, const uint8_t *p,
    const void **body)
{
	*body = p + SMTPD_DISK_RECORD_HEADER + h->head_len;
	return (struct smtpd_journal_record){
		.sequence = h->sequence,
		.ref = ref,
		.size = smtpd__disk_format_record_size(h),
		.head_len = h->head_len,
		.body_len = h->body_len,
		.type = h->type,
		.head = p + SMTPD_DISK_RECORD_HEADER,
	};
}

void *
smtpd__disk_read(struct smtpd_disk *log, struct smtpd_record_ref ref,
    size_t body_max, struct smtpd_journal_record *record, const void **body)
{
	struct smtpd_disk_record_header h;
	struct smtpd_disk_segment s;
	int fd = open_segment(log, ref, &s);
	uint8_t *p;

	if (fd == -1)
		return NULL;
	p = read_checked(
	    log, fd, &s, smtpd__disk_format_ref_offset(ref), body_max, &h);
	smtpd__fd_close(fd);
	if (p == NULL)
		return NULL;
	*record = describe_record(ref, &h, p, body);
	return p;
}

/* Read SIZE bytes at OFFSET to P, page by page: those that cannot be read cost
 * nothing else. */
static void
read_pages(int fd, uint8_t *p, uint32_t size, uint64_t offset,
    struct smtpd_journal_raw *raw)
{
	uint32_t n;

	*raw = (struct smtpd_journal_raw){ .sound = size };
	for (uint32_t done = 0; done < size; done += n) {
		n = SMTPD_DISK_PAGE -
		    (uint32_t)((offset + done) % SMTPD_DISK_PAGE);
		if (n > size - done)
			n = size - done;
		if (smtpd__file_read_at(fd, p + done, n, offset + done) == 0)
			continue;
		memset(p + done, 0, n);
		if (raw->missing == 0)
			raw->sound = done;
		raw->missing += n;
	}
}

void *
smtpd__disk_read_raw(struct smtpd_disk *log, struct smtpd_record_ref ref,
    uint32_t size, struct smtpd_journal_raw *raw)
{
	struct smtpd_disk_record_header h;
	struct smtpd_disk_segment s;
	int fd = open_segment(log, ref, &s);
	uint8_t *p;

	if (fd == -1)
		return NULL;
	p = malloc(size);
	if (p != NULL)
		read_pages(
		    fd, p, size, smtpd__disk_format_ref_offset(ref), raw);
	smtpd__fd_close(fd);
	if (p == NULL)
		return NULL;
	if (raw->missing == size) {
		free(p);
		errno = EIO;
		return NULL;
	}
	if (s.mark != 0 && raw->sound >= SMTPD_DISK_RECORD_HEADER &&
	    smtpd__disk_format_get_record(s.mark, p, &h) &&
	    smtpd__disk_format_record_size(&h) == size &&
	    raw->sound >= SMTPD_DISK_RECORD_HEADER + h.head_len &&
	    smtpd__disk_format_head_checks(&log->crc, &h, p))
		raw->record = describe_record(ref, &h, p, &raw->body);
	return p;
}
