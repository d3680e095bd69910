/* SPDX-License-Identifier: MIT */
#include "journal/disk/read.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "journal/disk/segments.h"
#include "os/fd.h"
#include "os/file.h"

/* A copy of segment NUMBER, which may be recycled when the lock is let go. */
static int
copy_segment(
    struct smtpd_disk *log, uint32_t number, struct smtpd_disk_segment *copy)
{
	const struct smtpd_disk_segment *s;

	pthread_mutex_lock(&log->lock);
	s = smtpd__disk_segments_find(log, number);
	if (s != NULL)
		*copy = *s;
	pthread_mutex_unlock(&log->lock);
	if (s != NULL)
		return 0;
	errno = ENOENT;
	return -1;
}

/* Read the header of a record that may be there. */
static int
read_header(int fd, const struct smtpd_disk_segment *s, uint32_t offset,
    struct smtpd_disk_record_header *h)
{
	uint8_t bytes[SMTPD_DISK_RECORD_HEADER];

	if (smtpd__file_read_at(fd, bytes, sizeof(bytes), offset) == -1)
		return -1;
	if (s->mark != 0 && smtpd__disk_format_get_record(s->mark, bytes, h) &&
	    h->sequence >= s->base && h->sequence <= s->upto)
		return 0;
	errno = EBADMSG;
	return -1;
}

static uint8_t *
read_whole(const struct smtpd_disk *log, int fd, uint32_t offset,
    const struct smtpd_disk_record_header *h)
{
	size_t size = SMTPD_DISK_RECORD_HEADER + h->head_len + h->body_len;
	uint8_t *p = malloc(size);

	if (p == NULL)
		return NULL;
	if (smtpd__file_read_at(fd, p, size, offset) == -1) {
		int error = errno;

		free(p);
		errno = error;
		return NULL;
	}
	if (smtpd__disk_format_head_checks(&log->crc, h, p) &&
	    smtpd__disk_format_body_checks(&log->crc, h, p))
		return p;
	free(p);
	errno = EBADMSG;
	return NULL;
}

static uint8_t *
read_ref(struct smtpd_disk *log, const struct smtpd_disk_segment *s,
    struct smtpd_record_ref ref, struct smtpd_disk_record_header *h)
{
	int fd = smtpd__disk_file_open(log->dir, s->number, true);
	uint8_t *p = NULL;

	if (fd == -1)
		return NULL;
	if (read_header(fd, s, smtpd__disk_format_ref_offset(ref), h) == 0)
		p = read_whole(log, fd, smtpd__disk_format_ref_offset(ref), h);
	smtpd__fd_close(fd);
	return p;
}

void *
smtpd__disk_read(struct smtpd_disk *log, struct smtpd_record_ref ref,
    struct smtpd_journal_record *record, const void **body)
{
	struct smtpd_disk_record_header h;
	struct smtpd_disk_segment s;
	uint8_t *p;

	if (copy_segment(log, smtpd__disk_format_ref_segment(ref), &s) == -1)
		return NULL;
	p = read_ref(log, &s, ref, &h);
	if (p == NULL)
		return NULL;
	*record = (struct smtpd_journal_record){
		.sequence = h.sequence,
		.ref = ref,
		.size = smtpd__disk_format_record_size(&h),
		.head_len = h.head_len,
		.body_len = h.body_len,
		.type = h.type,
		.head = p + SMTPD_DISK_RECORD_HEADER,
	};
	*body = p + SMTPD_DISK_RECORD_HEADER + h.head_len;
	return p;
}

void *
smtpd__disk_read_raw(
    struct smtpd_disk *log, struct smtpd_record_ref ref, uint32_t size)
{
	struct smtpd_disk_segment s;
	uint8_t *p = NULL;
	int fd, status = -1;

	if (copy_segment(log, smtpd__disk_format_ref_segment(ref), &s) == -1)
		return NULL;
	fd = smtpd__disk_file_open(log->dir, s.number, true);
	if (fd == -1)
		return NULL;
	p = malloc(size);
	if (p != NULL)
		status = smtpd__file_read_at(
		    fd, p, size, smtpd__disk_format_ref_offset(ref));
	smtpd__fd_close(fd);
	if (status == 0)
		return p;
	free(p);
	return NULL;
}
