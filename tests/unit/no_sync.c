/* SPDX-License-Identifier: MIT */
/* For tests of what is written, in which order, and what is read again: that it
 * reaches the disk is not seen there, and waiting for it only takes their time,
 * and that of the tests beside them. */
#include <unistd.h>

int
fsync(int fd)
{
	(void)fd;
	return 0;
}

int
fdatasync(int fd)
{
	(void)fd;
	return 0;
}
