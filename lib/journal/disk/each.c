/* SPDX-License-Identifier: MIT */
#include "journal/disk/each.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "journal/disk/index.h"
#include "journal/disk/scan.h"
#include "os/fd.h"

/* One way through a segment. */
struct pass {
	struct smtpd_disk *log;
	const struct smtpd_disk_segment *segment;
	struct smtpd_disk_index_key key; /* of its index */
	int fd;
	struct smtpd_disk_index_writer *writer; /* NULL: no index is made */
	int (*fn)(void *user, const struct smtpd_journal_record *record);
	void *user;
	struct smtpd_disk_found *result;
};

int
smtpd__disk_each_report(struct smtpd_disk *log, uint32_t number,
    uint64_t offset, const void *data, size_t len, const char *why)
{
	char name[SMTPD_DISK_NAME];

	if (log->settings.damaged == NULL)
		return 0;
	smtpd__disk_format_name(name, number, SMTPD_DISK_SEGMENT);
	return log->settings.damaged(
	    log->settings.user, name, offset, data, len, why);
}

static void
report_damage(
    void *user, uint64_t offset, const void *data, size_t len, const char *why)
{
	struct pass *p = user;
	char name[SMTPD_DISK_NAME];
	struct stat st;

	smtpd__disk_format_name(name, p->segment->number, SMTPD_DISK_SEGMENT);
	/* The writer may have recycled it under a reader's eyes. */
	if (p->log->settings.read_only &&
	    fstatat(p->log->dir, name, &st, AT_SYMLINK_NOFOLLOW) == -1)
		p->result->gone = true;
	else if (smtpd__disk_each_report(
		     p->log, p->segment->number, offset, data, len, why) == -1)
		p->result->unkept = true;
}

static int
visit_record(void *user, const struct smtpd_journal_record *record)
{
	struct pass *p = user;

	if (p->writer != NULL)
		smtpd__disk_index_add(p->writer, record);
	return p->fn != NULL ? p->fn(p->user, record) : 0;
}

static int
scan_segment(struct pass *p)
{
	const struct smtpd_disk_segment *s = p->segment;
	struct smtpd_disk_window window;
	struct smtpd_disk_scan scan = {
		.crc = &p->log->crc,
		.window = &window,
		.number = s->number,
		.mark = s->mark,
		.sealed = s->exact,
		.moving = p->log->settings.read_only,
		.at = SMTPD_DISK_PAGE,
		.end = s->end,
		.next = s->base,
		.upto = s->upto,
		.record = visit_record,
		.damaged = report_damage,
		.user = p,
	};
	int rc = smtpd__disk_window_init(&window, p->fd);

	/* Without its header nobody knows what a record looks like. */
	if (rc == 0 && s->mark == 0) {
		rc = smtpd__disk_scan_report(&scan, 0,
		    window.file_size > 0 ? window.file_size : 1,
		    "the header of the segment is damaged");
	} else if (rc == 0) {
		rc = smtpd__disk_scan(&scan);
		p->result->scanned = true;
		p->result->unread = scan.unread;
		memcpy(p->result->voids, scan.voids, sizeof(scan.voids));
		p->result->void_count = scan.void_count;
		p->result->end = scan.at;
		p->result->next = scan.next;
	}
	smtpd__disk_window_finish(&window);
	return rc;
}

static int
scan_and_index(struct pass *p)
{
	int rc;

	if (p->segment->exact && !p->log->settings.read_only)
		p->writer = smtpd__disk_index_begin(
		    p->log->dir, &p->log->crc, p->segment->number);
	rc = scan_segment(p);
	if (p->writer != NULL) {
		int error = errno;

		bool whole = rc == 0 && !p->result->unread;

		p->result->indexed = smtpd__disk_index_end(p->writer,
					 whole ? &p->key : NULL) == 0;
		errno = error;
	}
	return rc;
}

int
smtpd__disk_each(struct smtpd_disk *log,
    const struct smtpd_disk_segment *segment, bool index,
    int (*fn)(void *user, const struct smtpd_journal_record *record),
    void *user, struct smtpd_disk_found *result)
{
	struct pass p = {
		.log = log,
		.segment = segment,
		.key = {
			.number = segment->number,
			.mark = segment->mark,
			.end = segment->end,
			.upto = segment->upto,
		},
		.fn = fn,
		.user = user,
		.result = result,
	};
	int rc;

	memset(result, 0, sizeof(*result));
	if (index && segment->exact && segment->mark != 0)
		result->indexed = smtpd__disk_index_read(
		    log->dir, &log->crc, &p.key, fn, user, &rc);
	if (result->indexed)
		return rc;
	p.fd = smtpd__disk_file_open(log->dir, segment->number, true);
	if (p.fd == -1) {
		result->gone = errno == ENOENT;
		return -1;
	}
	rc = scan_and_index(&p);
	smtpd__fd_close(p.fd);
	return rc;
}
