/* SPDX-License-Identifier: MIT */
#include "queue/spool/quarantine.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "os/commit.h"
#include "os/fd.h"
#include "os/file.h"
#include "queue/spool/file.h"
#include "queue/spool/state_change.h"

/* Bytes of a content that are copied at a time. */
#define COPY_SIZE 65536

/* Make FD, which is NAME in tmp/, the file TO in DIR, unless there is one.
 * Return 0, or -1 with errno; FD is closed. */
static int
publish(
    struct smtpd_spool *s, int fd, const char *name, int dir, const char *to)
{
	int status = smtpd__commit_file(fd);
	int error;

	if (status == 0)
		status = smtpd__commit_move(s->tmp, name, dir, to);
	if (status == 0)
		return 0;
	error = errno;
	unlinkat(s->tmp, name, 0);
	errno = error;
	return error == EEXIST ? 0 : -1;
}

/* Close FD, which is NAME in tmp/, and forget it.  Return -1. */
static int
give_up(struct smtpd_spool *s, int fd, const char *name)
{
	smtpd__fd_close(fd);
	if (fd != -1) {
		int error = errno;

		unlinkat(s->tmp, name, 0);
		errno = error;
	}
	return -1;
}

/* Put LEN bytes of DATA into the file NAME of DIR, unless there is one. */
static int
put_file(struct smtpd_spool *s, int dir, const char *name, const void *data,
    size_t len)
{
	char tmp[SMTPD_SPOOL_NAME_MAX];
	int fd = smtpd__spool_file_make(s, tmp);

	if (fd == -1 || smtpd__file_write(fd, data, len) == -1)
		return give_up(s, fd, tmp);
	return publish(s, fd, tmp, dir, name);
}

/* Put WHY into the file NAME.why of DIR, unless there is one, and make the
 * names in DIR durable. */
static int
put_why(struct smtpd_spool *s, int dir, const char *name, const char *why)
{
	char file[2 * SMTPD_SPOOL_NAME_MAX];
	char line[2048];
	int len;

	snprintf(file, sizeof(file), "%s.why", name);
	len = snprintf(line, sizeof(line) - 1, "%s", why);
	if (len > (int)sizeof(line) - 2)
		len = (int)sizeof(line) - 2;
	line[len++] = '\n';
	if (put_file(s, dir, file, line, (size_t)len) == -1)
		return -1;
	return smtpd__commit_directory(dir);
}

/* Write to FD what of LEN bytes at OFFSET it lacks. */
static int
write_range(int fd, uint64_t offset, const void *data, size_t len)
{
	struct stat st;

	if (fstat(fd, &st) == -1)
		return -1;
	if ((uint64_t)st.st_size >= offset + len)
		return 0;
	if (lseek(fd, (off_t)offset, SEEK_SET) == -1)
		return -1;
	return smtpd__file_write(fd, data, len);
}

/* Keep a range of a segment: what was kept of it before stays. */
static int
keep_range(struct smtpd_spool *s, const char *name, const void *data,
    size_t len, const char *why)
{
	char file[2 * SMTPD_SPOOL_NAME_MAX];
	int fd, status;

	snprintf(file, sizeof(file), "%s.bin", name);
	if (len > 0) {
		fd = openat(s->quarantine, file,
		    O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
		if (fd == -1)
			return -1;
		status = write_range(fd, 0, data, len);
		if (status == -1) {
			smtpd__fd_close(fd);
			return -1;
		}
		if (smtpd__commit_file(fd) == -1)
			return -1;
	}
	return put_why(s, s->quarantine, name, why);
}

void
smtpd__spool_quarantine_range(void *user, const char *segment_name,
    uint64_t offset, const void *data, size_t len, const char *why)
{
	struct smtpd_spool *s = user;
	char name[SMTPD_SPOOL_NAME_MAX];

	s->damages++;
	snprintf(name, sizeof(name), "%.*s-%llu",
	    (int)strcspn(segment_name, "./"), segment_name,
	    (unsigned long long)offset);
	smtpd__logger_write(&s->settings.logger, SMTPD_LOG_WARNING,
	    "segment %s of the log is damaged at %llu: %s", segment_name,
	    (unsigned long long)offset, why);
	if (!s->settings.read_only && keep_range(s, name, data, len, why) == -1)
		smtpd__logger_write(&s->settings.logger, SMTPD_LOG_WARNING,
		    "it cannot be copied to quarantine/: %s", strerror(errno));
}

/* Keep SIZE bytes of the log as NAME, as far as they can be read. */
static int
keep_record(struct smtpd_spool *s, const char *name,
    struct smtpd_disk_place place, uint32_t size, const char *why)
{
	char file[2 * SMTPD_SPOOL_NAME_MAX];
	void *raw = smtpd__disk_read_raw(s->log, place, size);
	int status = 0;

	if (raw == NULL && errno == ENOMEM)
		return -1;
	snprintf(file, sizeof(file), "%s.bin", name);
	if (raw != NULL)
		status = put_file(s, s->quarantine, file, raw, size);
	free(raw);
	if (status == -1)
		return -1;
	return put_why(s, s->quarantine, name, why);
}

/* Have the file NAME of large/ in quarantine/ as well.  One that is missing is
 * fine. */
static int
keep_large(struct smtpd_spool *s, const char *name)
{
	char file[2 * SMTPD_SPOOL_NAME_MAX];

	snprintf(file, sizeof(file), "%s.large", name);
	if (linkat(s->large, name, s->quarantine, file, 0) == 0 ||
	    errno == EEXIST || errno == ENOENT)
		return 0;
	return -1;
}

/* Copy what is left of E to quarantine/. */
static int
keep_message(struct smtpd_spool *s, const struct smtpd_queued_message *e,
    const char *why)
{
	char name[SMTPD_ID_SIZE];

	smtpd__id_write(e->id, name);
	if ((e->flags & SMTPD_MESSAGE_LARGE) != 0 && keep_large(s, name) == -1)
		return -1;
	return keep_record(s, name, e->place, e->record_size, why);
}

int
smtpd__spool_quarantine_large(
    struct smtpd_spool *s, const char *name, const char *why)
{
	if (keep_large(s, name) == -1)
		return -1;
	return put_why(s, s->quarantine, name, why);
}

void
smtpd__spool_quarantine_foreign(struct smtpd_spool *s)
{
	struct smtpd_foreign **at = &s->foreign;

	while (*at != NULL) {
		struct smtpd_foreign *f = *at;
		char name[SMTPD_SPOOL_NAME_MAX];

		snprintf(name, sizeof(name), "record-%lu-%lu",
		    (unsigned long)f->place.segment,
		    (unsigned long)f->place.offset);
		if (keep_record(s, name, f->place, f->size,
			"a record of the log that cannot be understood: of a "
			"later version, or nonsense") == -1) {
			smtpd__logger_write(&s->settings.logger,
			    SMTPD_LOG_WARNING,
			    "a record cannot be copied to quarantine/: %s",
			    strerror(errno));
			at = &f->next;
			continue;
		}
		smtpd__disk_release(s->log, f->place, f->size);
		*at = f->next;
		free(f);
	}
}

/* Write the content of LOADED to FD. */
static int
copy_content(const struct smtpd_loaded_message *loaded, int fd)
{
	char *buf = malloc(COPY_SIZE);
	uint64_t done = 0;
	ssize_t n = -1;

	if (buf == NULL)
		return -1;
	while ((n = smtpd__loaded_message_read(loaded, done, buf, COPY_SIZE)) >
	    0) {
		if (smtpd__file_write(fd, buf, (size_t)n) == -1) {
			n = -1;
			break;
		}
		done += (uint64_t)n;
	}
	free(buf);
	return n == 0 ? 0 : -1;
}

int
smtpd__spool_quarantine_dead_letter(struct smtpd_spool *s,
    const struct smtpd_loaded_message *loaded, const char *why)
{
	char id[SMTPD_ID_SIZE], name[SMTPD_SPOOL_NAME_MAX];
	char tmp[SMTPD_SPOOL_NAME_MAX];
	int fd = smtpd__spool_file_make(s, tmp);

	smtpd__id_write(loaded->id, id);
	snprintf(name, sizeof(name), "%s.eml", id);
	if (fd == -1 || copy_content(loaded, fd) == -1)
		return give_up(s, fd, tmp);
	if (publish(s, fd, tmp, s->dead, name) == -1)
		return -1;
	return put_why(s, s->dead, id, why);
}

int
smtpd__spool_quarantine(struct smtpd_spool *s,
    struct smtpd_queued_message *message, const char *why)
{
	int error;

	if (!smtpd__state_change_begin_end(s, message))
		return 0;
	if (keep_message(s, message, why) == 0)
		return smtpd__state_change_end(
		    s, message, SMTPD_RECORD_QUARANTINED);
	error = errno;
	smtpd__logger_write(&s->settings.logger, SMTPD_LOG_WARNING,
	    "a damaged message cannot be moved to quarantine/, and stays");
	smtpd__state_change_cancel(s, message);
	errno = error;
	return -1;
}
