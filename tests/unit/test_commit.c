/* SPDX-License-Identifier: MIT */
/* For renameat2(), which is replaced here, and syscall(). */
#define _GNU_SOURCE
#include "os/commit.h"

#include <sys/stat.h>
#include <sys/syscall.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "test.h"

typedef int move_fn(int, const char *, int, const char *);

/* What the replaced system calls say instead; 0: what the system says. */
static int rename_error;
static int sync_error;
static int sync_calls;

int
renameat2(
    int from_dir, const char *from, int to_dir, const char *to, unsigned flags)
{
	if (rename_error != 0) {
		errno = rename_error;
		return -1;
	}
	return (int)syscall(SYS_renameat2, from_dir, from, to_dir, to, flags);
}

int
fdatasync(int fd)
{
	sync_calls++;
	if (sync_error != 0) {
		errno = sync_error;
		return -1;
	}
	return (int)syscall(SYS_fdatasync, fd);
}

struct place {
	char path[64];
	int dir;
};

static int
setup(void **state)
{
	struct place *p = calloc(1, sizeof(*p));

	assert_non_null(p);
	snprintf(p->path, sizeof(p->path), "/var/tmp/test_commit.XXXXXX");
	assert_non_null(mkdtemp(p->path));
	p->dir = open(p->path, O_RDONLY | O_DIRECTORY);
	assert_true(p->dir >= 0);
	*state = p;
	rename_error = 0;
	sync_error = 0;
	sync_calls = 0;
	return 0;
}

static int
teardown(void **state)
{
	struct place *p = *state;

	unlinkat(p->dir, "from", 0);
	unlinkat(p->dir, "to", 0);
	close(p->dir);
	rmdir(p->path);
	free(p);
	return 0;
}

static int
put(struct place *p, const char *name, const char *text)
{
	int fd = openat(p->dir, name, O_WRONLY | O_CREAT | O_EXCL, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	return fd;
}

static void
assert_holds(struct place *p, const char *name, const char *text)
{
	char buf[64] = "";
	int fd = openat(p->dir, name, O_RDONLY);

	assert_true(fd >= 0);
	assert_int_equal(read(fd, buf, sizeof(buf) - 1), strlen(text));
	assert_string_equal(buf, text);
	close(fd);
}

static void
assert_absent(struct place *p, const char *name)
{
	struct stat st;

	assert_int_equal(fstatat(p->dir, name, &st, 0), -1);
	assert_int_equal(errno, ENOENT);
}

static void
moves(struct place *p, move_fn *move)
{
	close(put(p, "from", "message"));
	assert_int_equal(move(p->dir, "from", p->dir, "to"), 0);
	assert_absent(p, "from");
	assert_holds(p, "to", "message");
}

static void
never_replaces(struct place *p, move_fn *move)
{
	close(put(p, "from", "message"));
	close(put(p, "to", "older"));
	assert_int_equal(move(p->dir, "from", p->dir, "to"), -1);
	assert_int_equal(errno, EEXIST);
	assert_holds(p, "from", "message");
	assert_holds(p, "to", "older");
}

static void
test_move(void **state)
{
	moves(*state, smtpd__commit_move);
}

static void
test_move_never_replaces(void **state)
{
	never_replaces(*state, smtpd__commit_move);
}

static void
test_link(void **state)
{
	moves(*state, smtpd__commit_link);
}

static void
test_link_never_replaces(void **state)
{
	never_replaces(*state, smtpd__commit_link);
}

static void
test_move_without_kernel(void **state)
{
	rename_error = ENOSYS;
	moves(*state, smtpd__commit_move);
}

static void
test_move_without_file_system(void **state)
{
	rename_error = EINVAL;
	never_replaces(*state, smtpd__commit_move);
}

/* R19 */
static void
test_move_not_supported(void **state)
{
	rename_error = EOPNOTSUPP;
	moves(*state, smtpd__commit_move);
}

static void
test_move_fails(void **state)
{
	struct place *p = *state;

	rename_error = EIO;
	close(put(p, "from", "message"));
	assert_int_equal(smtpd__commit_move(p->dir, "from", p->dir, "to"), -1);
	assert_int_equal(errno, EIO);
	assert_holds(p, "from", "message");
	assert_absent(p, "to");
}

static void
test_file(void **state)
{
	int fd = put(*state, "from", "message");

	assert_int_equal(smtpd__commit_file(fd), 0);
	assert_int_equal(sync_calls, 1);
	assert_int_equal(fcntl(fd, F_GETFD), -1);
}

static void
test_failed_sync_is_final(void **state)
{
	int fd = put(*state, "from", "message");

	sync_error = EIO;
	assert_int_equal(smtpd__commit_file(fd), -1);
	assert_int_equal(errno, EIO);
	assert_int_equal(sync_calls, 1);
	assert_int_equal(fcntl(fd, F_GETFD), -1);
}

static void
test_directory_fails(void **state)
{
	(void)state;
	assert_int_equal(smtpd__commit_directory(-1), -1);
	assert_int_equal(errno, EBADF);
}

/* It holds the new text, or the old one where that cannot be made durable. */
static void
test_replace(void **state)
{
	struct place *p = *state;

	assert_int_equal(
	    smtpd__commit_replace(p->dir, "to", "from", "old", 3), 0);
	assert_holds(p, "to", "old");
	assert_absent(p, "from");
	assert_int_equal(
	    smtpd__commit_replace(p->dir, "to", "from", "newer", 5), 0);
	assert_holds(p, "to", "newer");
	sync_error = EIO;
	assert_int_equal(
	    smtpd__commit_replace(p->dir, "to", "from", "newest", 6), -1);
	assert_int_equal(errno, EIO);
	assert_holds(p, "to", "newer");
}

int
main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(test_move),
		CASE(test_move_never_replaces),
		CASE(test_link),
		CASE(test_link_never_replaces),
		CASE(test_move_without_kernel),
		CASE(test_move_without_file_system),
		CASE(test_move_not_supported),
		CASE(test_move_fails),
		CASE(test_replace),
		CASE(test_file),
		CASE(test_failed_sync_is_final),
		CASE(test_directory_fails),
	};
#undef CASE

	return cmocka_run_group_tests(tests, NULL, NULL);
}
