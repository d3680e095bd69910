/* SPDX-License-Identifier: MIT */
#include "journal/disk/contents.h"

#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
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

struct disk_writer {
	struct smtpd_content_writer base;
	int fd;
	char name[SMTPD_DISK_TMP_FILE_NAME_SIZE]; /* in tmp/ */
};

struct disk_reader {
	struct smtpd_content_reader base;
	int fd;
};

struct smtpd_content_writer *
smtpd__disk_contents_begin(struct smtpd_journal *j)
{
	struct disk_writer *w = malloc(sizeof(*w));

	if (w == NULL)
		return NULL;
	w->base.journal = j;
	w->fd = smtpd__disk_tmp_file_make(SMTPD_DISK_STORE(j), w->name);
	if (w->fd != -1)
		return &w->base;
	free(w);
	return NULL;
}

int
smtpd__disk_contents_write(
    struct smtpd_content_writer *writer, const void *data, size_t len)
{
	struct disk_writer *w =
	    SMTPD_CONTAINER_OF(writer, struct disk_writer, base);

	return smtpd__file_write(w->fd, data, len);
}

int
smtpd__disk_contents_overwrite(
    struct smtpd_content_writer *writer, const void *data, size_t len)
{
	struct disk_writer *w =
	    SMTPD_CONTAINER_OF(writer, struct disk_writer, base);

	return smtpd__file_write_at(w->fd, data, len, 0);
}

static ssize_t
read_at(int fd, uint64_t offset, void *buf, size_t len)
{
	ssize_t n;

	do
		n = pread(fd, buf, len, (off_t)offset);
	while (n == -1 && errno == EINTR);
	return n;
}

ssize_t
smtpd__disk_contents_read_back(const struct smtpd_content_writer *writer,
    uint64_t offset, void *buf, size_t len)
{
	const struct disk_writer *w = (const struct disk_writer *)writer;

	return read_at(w->fd, offset, buf, len);
}

int
smtpd__disk_contents_publish(struct smtpd_content_writer *writer, uint64_t id)
{
	struct disk_writer *w =
	    SMTPD_CONTAINER_OF(writer, struct disk_writer, base);
	struct smtpd_disk_store *store = SMTPD_DISK_STORE(writer->journal);
	char name[SMTPD_ID_SIZE];
	int status, error;

	smtpd__id_write(id, name);
	status = smtpd__disk_tmp_file_publish(
	    store, w->fd, w->name, store->large, name);
	if (status == 0 && smtpd__commit_directory(store->large) == -1) {
		error = errno;
		unlinkat(store->large, name, 0);
		errno = error;
		status = -1;
	}
	free(w);
	return status;
}

void
smtpd__disk_contents_abandon(struct smtpd_content_writer *writer)
{
	struct disk_writer *w =
	    SMTPD_CONTAINER_OF(writer, struct disk_writer, base);

	smtpd__disk_file_discard(
	    SMTPD_DISK_STORE(writer->journal)->tmp, w->name, w->fd);
	free(w);
}

struct smtpd_content_reader *
smtpd__disk_contents_open(struct smtpd_journal *j, uint64_t id)
{
	struct disk_reader *r = malloc(sizeof(*r));
	char name[SMTPD_ID_SIZE];
	struct stat st;

	if (r == NULL)
		return NULL;
	smtpd__id_write(id, name);
	r->fd = openat(SMTPD_DISK_STORE(j)->large, name,
	    O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (r->fd == -1) {
		if (errno == ENOENT || errno == ELOOP || errno == EBADF)
			errno = EBADMSG;
	} else if (fstat(r->fd, &st) == 0) {
		r->base.journal = j;
		r->base.size = (uint64_t)st.st_size;
		if (S_ISREG(st.st_mode))
			return &r->base;
		errno = EBADMSG;
	}
	smtpd__fd_close(r->fd);
	free(r);
	return NULL;
}

ssize_t
smtpd__disk_contents_read_at(const struct smtpd_content_reader *reader,
    uint64_t offset, void *buf, size_t len)
{
	const struct disk_reader *r = (const struct disk_reader *)reader;

	return read_at(r->fd, offset, buf, len);
}

void
smtpd__disk_contents_close(struct smtpd_content_reader *reader)
{
	struct disk_reader *r =
	    SMTPD_CONTAINER_OF(reader, struct disk_reader, base);

	smtpd__fd_close(r->fd);
	free(r);
}

void
smtpd__disk_contents_remove(struct smtpd_journal *j, uint64_t id)
{
	char name[SMTPD_ID_SIZE];

	smtpd__id_write(id, name);
	unlinkat(SMTPD_DISK_STORE(j)->large, name, 0);
}

int
smtpd__disk_contents_each(
    struct smtpd_journal *j, int (*fn)(void *user, uint64_t id), void *user)
{
	const struct smtpd_disk_store *store = SMTPD_DISK_STORE(j);
	DIR *dir = smtpd__disk_directory_read(store->large);
	struct dirent *d;
	int status = 0;

	if (dir == NULL)
		return -1;
	while (status == 0 && (d = readdir(dir)) != NULL) {
		char name[SMTPD_ID_SIZE];
		uint64_t id;

		if (smtpd__id_parse(d->d_name, &id) == -1)
			continue;
		smtpd__id_write(id, name);
		if (strcmp(d->d_name, name) == 0 &&
		    smtpd__disk_directory_has_file(store->large, name))
			status = fn(user, id);
	}
	closedir(dir);
	return status;
}
