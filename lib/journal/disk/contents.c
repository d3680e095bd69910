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

	smtpd__disk_tmp_file_discard(
	    SMTPD_DISK_STORE(writer->journal), w->fd, w->name);
	free(w);
}

/* Open the file of ID, and find out its size.  Return -1 with errno. */
static int
open_file(const struct smtpd_disk_store *store, uint64_t id, uint64_t *size)
{
	char name[SMTPD_ID_SIZE];
	struct stat st;
	int fd;

	smtpd__id_write(id, name);
	fd = openat(store->large, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd == -1) {
		if (errno == ENOENT || errno == ELOOP || errno == EBADF)
			errno = EBADMSG;
		return -1;
	}
	if (fstat(fd, &st) == 0) {
		*size = (uint64_t)st.st_size;
		if (S_ISREG(st.st_mode))
			return fd;
		errno = EBADMSG;
	}
	smtpd__fd_close(fd);
	return -1;
}

struct smtpd_content_reader *
smtpd__disk_contents_open(struct smtpd_journal *j, uint64_t id)
{
	struct disk_reader *r = malloc(sizeof(*r));

	if (r == NULL)
		return NULL;
	r->base.journal = j;
	r->fd = open_file(SMTPD_DISK_STORE(j), id, &r->base.size);
	if (r->fd != -1)
		return &r->base;
	free(r);
	return NULL;
}

ssize_t
smtpd__disk_contents_read_at(const struct smtpd_content_reader *reader,
    uint64_t offset, void *buf, size_t len)
{
	const struct disk_reader *r = (const struct disk_reader *)reader;
	ssize_t n;

	do
		n = pread(r->fd, buf, len, (off_t)offset);
	while (n == -1 && errno == EINTR);
	return n;
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

/* Read the id that NAME is, if it is the file of a content. */
static bool
parse_name(const struct smtpd_disk_store *store, const char *name, uint64_t *id)
{
	char expected[SMTPD_ID_SIZE];

	if (smtpd__id_parse(name, id) == -1)
		return false;
	smtpd__id_write(*id, expected);
	return strcmp(name, expected) == 0 &&
	    smtpd__disk_directory_has_file(store->large, name);
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
		uint64_t id;

		if (parse_name(store, d->d_name, &id))
			status = fn(user, id);
	}
	closedir(dir);
	return status;
}
