/* SPDX-License-Identifier: MIT */
#include "maildir/check.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <unistd.h>

#include "maildir/dirs.h"
#include "os/fd.h"

/* More than this is not asked for: what is left is found out as it arrives. */
#define PROBE_MAX (UINT64_C(64) << 20)

/* Reserve SIZE octets for FD, a file without a name; a file system that cannot
 * do so may still say that the quota is used up when one octet is written. */
static int
reserve_octets(int fd, uint64_t size)
{
	off_t len = (off_t)(size < PROBE_MAX ? size : PROBE_MAX);

	if (fallocate(fd, 0, 0, len > 0 ? len : 1) == 0)
		return 0;
	if (errno != EOPNOTSUPP && errno != ENOSYS)
		return -1;
	return write(fd, "", 1) == 1 ? 0 : -1;
}

/* Whether the file system cannot make files without a name. */
static bool
is_unknown(int error)
{
	return error == EOPNOTSUPP || error == EISDIR || error == EINVAL;
}

/* Make a file in TMP, which nobody sees, with room for SIZE octets. */
static int
probe_file(int tmp, uint64_t size)
{
	int fd = openat(tmp, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
	int result;

	if (fd == -1)
		return is_unknown(errno) ? 0 : -1;
	result = reserve_octets(fd, size);
	smtpd__fd_close(fd);
	return result;
}

int
smtpd__maildir_check(const char *path, size_t root_len, uint64_t size)
{
	struct smtpd_maildir_dirs d;
	int result;

	if (smtpd__maildir_dirs_open(&d, path, root_len) == -1)
		return -1;
	result = faccessat(d.dir, "new", W_OK | X_OK, AT_EACCESS);
	if (result == 0)
		result = probe_file(d.tmp, size);
	smtpd__maildir_dirs_close(&d);
	return result;
}
