/* SPDX-License-Identifier: MIT */
#include "queue/spool/file.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

int
smtpd__spool_file_make(struct smtpd_spool *s, char name[SMTPD_SPOOL_NAME_MAX])
{
	/* tmp/ was empty at the start, and nobody else writes to it. */
	snprintf(name, SMTPD_SPOOL_NAME_MAX, "%" PRIu64,
	    atomic_fetch_add(&s->files, 1));
	return openat(
	    s->tmp, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
}
