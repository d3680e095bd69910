/* SPDX-License-Identifier: MIT */
#include "file_stamp.h"

#include <sys/stat.h>

#include <string.h>

bool
file_stamp_update(struct file_stamp *stamp, const char *path)
{
	struct file_stamp now;
	struct stat st;
	bool changed;

	/* Padding is compared too. */
	memset(&now, 0, sizeof(now));
	if (stat(path, &st) == 0) {
		now.device = st.st_dev;
		now.inode = st.st_ino;
		now.size = st.st_size;
		now.modified = st.st_mtim;
		now.changed = st.st_ctim;
	}
	changed = memcmp(&now, stamp, sizeof(now)) != 0;
	memcpy(stamp, &now, sizeof(now));
	return changed;
}
