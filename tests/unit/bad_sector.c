/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "bad_sector.h"

#include <errno.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <unistd.h>

static _Atomic off_t bad_from, bad_to;

void
bad_sector_set(off_t from, off_t to)
{
	bad_from = from;
	bad_to = to;
}

ssize_t
pread(int fd, void *data, size_t len, off_t offset)
{
	if (offset < bad_to && offset + (off_t)len > bad_from) {
		errno = EIO;
		return -1;
	}
	return syscall(SYS_pread64, fd, data, len, offset);
}
