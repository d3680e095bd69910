/* SPDX-License-Identifier: MIT */
#include "journal/disk/tmp_file.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>

#include "journal/disk/file.h"
#include "os/commit.h"

int
smtpd__disk_tmp_file_make(
    struct smtpd_disk_store *store, char name[SMTPD_DISK_TMP_FILE_NAME_SIZE])
{
	/* tmp/ was empty at the start, and nobody else writes to it. */
	snprintf(name, SMTPD_DISK_TMP_FILE_NAME_SIZE, "%" PRIu64,
	    atomic_fetch_add(&store->files, 1));
	return openat(
	    store->tmp, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
}

int
smtpd__disk_tmp_file_publish(struct smtpd_disk_store *store, int fd,
    const char *name, int dir, const char *to)
{
	if (smtpd__commit_file(fd) == 0 &&
	    smtpd__commit_move(store->tmp, name, dir, to) == 0)
		return 0;
	smtpd__disk_file_discard(store->tmp, name, -1);
	return -1;
}
