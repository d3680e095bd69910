/* SPDX-License-Identifier: MIT */
#include "journal/disk/aside.h"

#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/id.h"
#include "journal/disk/directory.h"
#include "journal/disk/file.h"
#include "journal/disk/tmp_file.h"
#include "os/commit.h"
#include "os/fd.h"
#include "os/file.h"

/* How often bytes may be kept from one place. */
#define KEPT_MAX 100

/* Bytes that are copied at a time. */
#define COPY_SIZE 65536

/* The size of a file's name, with its NUL. */
#define NAME_SIZE 128

/* The longest reason, with its newline and NUL. */
#define WHY_SIZE 2048

/* Write WHY to the file NAME.why of DIR, unless there is one, and make the
 * names in DIR durable. */
static int
write_reason(
    struct smtpd_disk_store *store, int dir, const char *name, const char *why)
{
	char tmp[SMTPD_DISK_TMP_FILE_NAME_SIZE];
	char file[NAME_SIZE], line[WHY_SIZE];
	size_t len = strnlen(why, sizeof(line) - 2);
	int fd = smtpd__disk_tmp_file_make(store, tmp);

	if (fd == -1)
		return -1;
	memcpy(line, why, len);
	line[len++] = '\n';
	if (smtpd__file_write(fd, line, len) == -1) {
		smtpd__disk_file_discard(store->tmp, tmp, fd);
		return -1;
	}
	snprintf(file, sizeof(file), "%s.why", name);
	if (smtpd__disk_tmp_file_publish(store, fd, tmp, dir, file) == -1 &&
	    errno != EEXIST)
		return -1;
	return smtpd__commit_directory(dir);
}

/* Write all that KEPT gives to the file NAME of DIR, unless there is one. */
static int
write_bytes(struct smtpd_disk_store *store,
    const struct smtpd_content_kept *kept, int dir, const char *name)
{
	char tmp[SMTPD_DISK_TMP_FILE_NAME_SIZE];
	int fd = smtpd__disk_tmp_file_make(store, tmp);
	char *buf = malloc(COPY_SIZE);
	uint64_t done = 0;
	ssize_t n = -1;

	if (fd == -1 || buf == NULL)
		goto failed;
	while ((n = kept->read(kept->user, done, buf, COPY_SIZE)) > 0) {
		if (smtpd__file_write(fd, buf, (size_t)n) == -1)
			goto failed;
		done += (uint64_t)n;
	}
	if (n == -1)
		goto failed;
	free(buf);
	if (smtpd__disk_tmp_file_publish(store, fd, tmp, dir, name) == -1 &&
	    errno != EEXIST)
		return -1;
	return 0;
failed:
	if (fd != -1)
		smtpd__disk_file_discard(store->tmp, tmp, fd);
	free(buf);
	return -1;
}

int
smtpd__disk_aside_keep(
    struct smtpd_journal *j, const struct smtpd_content_kept *kept)
{
	struct smtpd_disk_store *store = SMTPD_DISK_STORE(j);
	bool dead = kept->kind == SMTPD_CONTENT_DEAD_LETTER;
	int dir = dead ? store->dead : store->quarantine;
	char name[NAME_SIZE];

	snprintf(name, sizeof(name), "%s.%s", kept->name, dead ? "eml" : "bin");
	if (kept->read != NULL && write_bytes(store, kept, dir, name) == -1)
		return -1;
	return write_reason(store, dir, kept->name, kept->why);
}

int
smtpd__disk_aside_keep_large(
    struct smtpd_journal *j, uint64_t id, const char *why)
{
	struct smtpd_disk_store *store = SMTPD_DISK_STORE(j);
	char name[SMTPD_ID_SIZE], file[NAME_SIZE];

	smtpd__id_write(id, name);
	snprintf(file, sizeof(file), "%s.large", name);
	if (linkat(store->large, name, store->quarantine, file, 0) == -1 &&
	    errno != EEXIST && errno != ENOENT)
		return -1;
	return why != NULL ? write_reason(store, store->quarantine, name, why)
			   : 0;
}

uint64_t
smtpd__disk_aside_count_kept(
    struct smtpd_journal *j, enum smtpd_content_kind kind)
{
	const struct smtpd_disk_store *store = SMTPD_DISK_STORE(j);
	DIR *dir = smtpd__disk_directory_read(kind == SMTPD_CONTENT_DEAD_LETTER
		? store->dead
		: store->quarantine);
	struct dirent *d;
	uint64_t count = 0;

	if (dir == NULL)
		return 0;
	while ((d = readdir(dir)) != NULL) {
		size_t len = strlen(d->d_name);
		bool is_reason =
		    len >= 4 && strcmp(d->d_name + len - 4, ".why") == 0;

		count += d->d_name[0] != '.' && !is_reason;
	}
	closedir(dir);
	return count;
}

/* How many bytes the file open as FD has, if these are those at DATA as far as
 * there are LEN; -1 with errno, which is EEXIST if they are others. */
static off_t
same_bytes(int fd, const void *data, size_t len)
{
	struct stat st;
	char *kept;
	off_t size = -1;

	if (fstat(fd, &st) == -1)
		return -1;
	if ((uint64_t)st.st_size < len)
		len = (size_t)st.st_size;
	kept = malloc(len + 1);
	if (kept == NULL)
		return -1;
	if (smtpd__file_read_at(fd, kept, len, 0) == 0) {
		size = memcmp(kept, data, len) == 0 ? st.st_size : -1;
		errno = EEXIST;
	}
	free(kept);
	return size;
}

/* Keep a range of a segment in the file FILE; what was kept of it before stays,
 * and is completed if it is less than that.  -1 with errno EEXIST: there is
 * something else in it. */
static int
keep_bytes(struct smtpd_disk_store *store, const char *file, const void *data,
    size_t len)
{
	int fd = openat(store->quarantine, file,
	    O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	off_t kept;
	int error;

	if (fd == -1)
		return -1;
	kept = same_bytes(fd, data, len);
	if (kept == -1 ||
	    ((size_t)kept < len &&
		smtpd__file_write_at(fd, data, len, 0) == -1)) {
		error = errno;
		smtpd__fd_close(fd);
		errno = error;
		return -1;
	}
	return smtpd__commit_file(fd);
}

/* Keep a range of a segment as NAME, or NAME and a number: other bytes may have
 * been kept from there. */
static int
keep_range(struct smtpd_disk_store *store, const char *name, const void *data,
    size_t len, const char *why)
{
	char numbered[NAME_SIZE + 4], file[NAME_SIZE + sizeof(".bin") + 4];
	int rc = 0;

	snprintf(numbered, sizeof(numbered), "%s", name);
	for (int i = 2; len > 0 && i < KEPT_MAX; i++) {
		snprintf(file, sizeof(file), "%s.bin", numbered);
		rc = keep_bytes(store, file, data, len);
		if (rc == 0 || errno != EEXIST)
			break;
		snprintf(numbered, sizeof(numbered), "%s-%d", name, i);
	}
	return rc == 0 ? write_reason(store, store->quarantine, numbered, why)
		       : -1;
}

int
smtpd__disk_aside_damaged(void *user, const char *segment_name, uint64_t offset,
    const void *data, size_t len, const char *why)
{
	struct smtpd_disk_store *store = user;
	struct smtpd_journal_damage damage = {
		.where = segment_name,
		.offset = offset,
		.len = len,
		.why = why,
	};
	char name[NAME_SIZE];

	snprintf(name, sizeof(name), "%.*s-%llu",
	    (int)strcspn(segment_name, "./"), segment_name,
	    (unsigned long long)offset);
	if (!store->settings.read_only &&
	    keep_range(store, name, data, len, why) == -1)
		damage.error = errno;
	if (store->settings.damaged != NULL)
		store->settings.damaged(store->settings.user, &damage);
	return damage.error == 0 ? 0 : -1;
}
