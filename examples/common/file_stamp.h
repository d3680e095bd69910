/* SPDX-License-Identifier: MIT */
#ifndef FILE_STAMP_H
#define FILE_STAMP_H

/*
 * The state of a file, by which a change of it is seen.
 */

#include <sys/types.h>

#include <stdbool.h>
#include <time.h>

/* All zero: of a file that is not there. */
struct file_stamp {
	dev_t device;
	ino_t inode;
	off_t size;
	struct timespec modified, changed;
};

/* Set STAMP to the present state of the file PATH; whether it was another. */
bool file_stamp_update(struct file_stamp *stamp, const char *path);

#endif
