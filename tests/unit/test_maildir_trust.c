/* SPDX-License-Identifier: MIT */
/* Maildirs that others can change, that are just being made, or that are
 * many. */
#define _GNU_SOURCE
#include <smtpd/maildir.h>

#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "test.h"

#define OURS "1.M000002P3Q4.host"

/* The directories that were synced, one a line. */
static char synced[4096];

/* What the fsync of a directory whose name ends so does. */
static const char *failing;
static void (*on_failure)(void);

int
fsync(int fd)
{
	char link[64], path[512];
	ssize_t len;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	len = readlink(link, path, sizeof(path) - 1);
	assert_true(len > 0);
	path[len] = '\0';
	strncat(synced, path, sizeof(synced) - strlen(synced) - 1);
	strncat(synced, "\n", sizeof(synced) - strlen(synced) - 1);
	if (failing != NULL && strstr(path, failing) != NULL) {
		failing = NULL;
		if (on_failure != NULL)
			on_failure();
		errno = EIO;
		return -1;
	}
	return (int)syscall(SYS_fsync, fd);
}

/* What the disk has, to fstatvfs(): blocks of 4 KiB, and files; some file
 * systems do not number these. */
static struct statvfs disk;

int
fstatvfs(int fd, struct statvfs *out)
{
	(void)fd;
	*out = disk;
	return 0;
}

struct place {
	struct smtpd_maildir *md;
	char root[70];
	char ann[90]; /* a Maildir */
	char elsewhere[90];
};

static int
setup(void **state)
{
	struct place *p = calloc(1, sizeof(*p));

	assert_non_null(p);
	synced[0] = '\0';
	failing = NULL;
	on_failure = NULL;
	snprintf(p->root, sizeof(p->root), "/var/tmp/test_trust.XXXXXX");
	assert_non_null(mkdtemp(p->root));
	snprintf(p->ann, sizeof(p->ann), "%s/ann/Maildir", p->root);
	snprintf(p->elsewhere, sizeof(p->elsewhere), "%s/elsewhere", p->root);
	assert_int_equal(smtpd_maildir_make(p->ann, strlen(p->root)), 0);
	assert_int_equal(smtpd_maildir_make(p->elsewhere, strlen(p->root)), 0);
	p->md = smtpd_maildir_create(NULL);
	assert_non_null(p->md);
	*state = p;
	return 0;
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static int
teardown(void **state)
{
	struct place *p = *state;

	smtpd_maildir_destroy(p->md);
	nftw(p->root, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	free(p);
	return 0;
}

/* The names in the directory PART of MAILDIR. */
static int
count(const char *maildir, const char *part)
{
	char path[128];
	struct dirent *entry;
	DIR *dir;
	int n = 0;

	snprintf(path, sizeof(path), "%s/%s", maildir, part);
	dir = opendir(path);
	assert_non_null(dir);
	while ((entry = readdir(dir)) != NULL)
		n += entry->d_name[0] != '.';
	closedir(dir);
	return n;
}

static void
make_old(const char *maildir, const char *part, const char *name)
{
	struct timespec times[2] = { { 1000000000, 0 }, { 1000000000, 0 } };
	char path[256];

	snprintf(path, sizeof(path), "%s/%s/%s", maildir, part, name);
	close(open(path, O_WRONLY | O_CREAT, 0600));
	assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

static int
add(const struct place *p, struct smtpd_maildir_message *m, const char *path)
{
	return smtpd_maildir_add(m, path, strlen(p->root), "H: 1\n", 5);
}

/* Deliver to PATH; return 0, or errno. */
static int
deliver(const struct place *p, const char *path)
{
	struct smtpd_maildir_message *m = smtpd_maildir_begin(p->md);
	int error;

	assert_non_null(m);
	if (add(p, m, path) == 0)
		return smtpd_maildir_commit(m) == 0 ? 0 : errno;
	error = errno;
	smtpd_maildir_abort(m);
	return error;
}

static void
assert_untouched(const struct place *p)
{
	assert_int_equal(count(p->elsewhere, "new"), 0);
	assert_int_equal(count(p->elsewhere, "tmp"), 1);
}

/* Let PATH become a link to TARGET, and be what it was before. */
static void
swap_in(const char *path, const char *target, char *aside, size_t size)
{
	snprintf(aside, size, "%s.aside", path);
	assert_int_equal(rename(path, aside), 0);
	assert_int_equal(symlink(target, path), 0);
}

static void
swap_back(const char *path, const char *aside)
{
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rename(aside, path), 0);
}

/* R13: a link in the place of the Maildir, of a part, of a directory above. */
static void
test_links(void **state)
{
	static const char *const parts[] = { "/tmp", "/new", "/cur", "",
		"/.." };
	struct place *p = *state;
	char aside[160], path[128], target[128];

	make_old(p->elsewhere, "tmp", OURS);
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		bool above = strcmp(parts[i], "/..") == 0;

		snprintf(path, sizeof(path), "%s%s", p->ann, parts[i]);
		snprintf(
		    target, sizeof(target), "%s%s", p->elsewhere, parts[i]);
		if (above) {
			snprintf(path, sizeof(path), "%s/ann", p->root);
			snprintf(target, sizeof(target), "%s", p->root);
		}
		swap_in(path, target, aside, sizeof(aside));
		assert_int_equal(deliver(p, p->ann), ELOOP);
		assert_int_equal(
		    smtpd_maildir_make(p->ann, strlen(p->root)), -1);
		assert_int_equal(errno, ELOOP);
		if (strcmp(parts[i], "/new") != 0 &&
		    strcmp(parts[i], "/cur") != 0) {
			assert_int_equal(smtpd_maildir_clean(p->ann,
					     strlen(p->root), time(NULL)),
			    -1);
			assert_int_equal(errno, ELOOP);
		}
		assert_untouched(p);
		swap_back(path, aside);
	}
	assert_int_equal(deliver(p, p->ann), 0);
}

/* R13: the link comes when the message was begun, for the first target and for
 * another. */
static void
check_late(const struct place *p, const char *part, bool first)
{
	struct smtpd_maildir_message *m = smtpd_maildir_begin(p->md);
	char aside[160], bob[128], path[160], target[128];

	snprintf(bob, sizeof(bob), "%s/bob/Maildir", p->root);
	assert_int_equal(smtpd_maildir_make(bob, strlen(p->root)), 0);
	assert_int_equal(add(p, m, first ? bob : p->ann), 0);
	assert_int_equal(add(p, m, first ? p->ann : bob), 0);
	assert_int_equal(smtpd_maildir_write(m, "text\r\n", 6), 0);
	snprintf(path, sizeof(path), "%s%s", bob, part);
	snprintf(target, sizeof(target), "%s%s", p->elsewhere, part);
	swap_in(path, target, aside, sizeof(aside));
	smtpd_maildir_commit(m);
	assert_untouched(p);
	swap_back(path, aside);
}

static void
test_late_links(void **state)
{
	static const char *const parts[] = { "/tmp", "/new", "" };
	struct place *p = *state;

	make_old(p->elsewhere, "tmp", OURS);
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		check_late(p, parts[i], true);
		check_late(p, parts[i], false);
	}
}

/* R13: the part of the path that is trusted may have links. */
static void
test_links_in_root(void **state)
{
	struct place *p = *state, other = *p;
	char path[160];

	snprintf(other.root, sizeof(other.root), "%.60s/link", p->root);
	assert_int_equal(symlink(p->root, other.root), 0);
	snprintf(path, sizeof(path), "%s/ann/Maildir", other.root);
	assert_int_equal(deliver(&other, path), 0);
	assert_int_equal(count(p->ann, "new"), 1);
	assert_int_equal(smtpd_maildir_make(path, strlen(other.root)), 0);
}

/* R13: what belongs to another user is not used. */
static void
test_owners(void **state)
{
	static const char *const parts[] = { "/tmp", "/new", "/cur", "",
		"/.." };
	struct place *p = *state;

	if (geteuid() != 0) {
		print_message("not root: not tested\n");
		skip();
	}
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		char path[128];

		snprintf(path, sizeof(path), "%s%s", p->ann, parts[i]);
		assert_int_equal(chown(path, 12345, 12345), 0);
		assert_int_equal(deliver(p, p->ann), EPERM);
		assert_int_equal(
		    smtpd_maildir_make(p->ann, strlen(p->root)), -1);
		assert_int_equal(errno, EPERM);
		assert_int_equal(chown(path, 0, 0), 0);
	}
	assert_int_equal(deliver(p, p->ann), 0);
}

/* R13: a message that a reader has moved is not ours any more. */
static void
test_clean_readers_names(void **state)
{
	struct place *p = *state;

	make_old(p->ann, "tmp", OURS);
	make_old(p->ann, "tmp", OURS ",S=1:2,S");
	assert_int_equal(
	    smtpd_maildir_clean(p->ann, strlen(p->root), time(NULL) - 1000), 1);
	assert_int_equal(count(p->ann, "tmp"), 1);
}

/* R15: new/ was made a moment ago, perhaps by a thread that has yet to make it
 * durable; and long ago. */
static void
test_young_maildir(void **state)
{
	struct timespec times[2] = { { 1000000000, 0 }, { 1000000000, 0 } };
	struct place *p = *state;
	char line[128];

	snprintf(line, sizeof(line), "%s\n", p->ann);
	synced[0] = '\0';
	assert_int_equal(deliver(p, p->ann), 0);
	assert_non_null(strstr(synced, line));
	synced[0] = '\0';
	assert_int_equal(deliver(p, p->ann), 0);
	assert_null(strstr(synced, line));
	assert_int_equal(utimensat(AT_FDCWD, p->ann, times, 0), 0);
	synced[0] = '\0';
	assert_int_equal(deliver(p, p->ann), 0);
	assert_null(strstr(synced, line));
	assert_non_null(strstr(synced, "/new\n"));
}

static int
count_files(void)
{
	return count("/proc/self", "fd");
}

/* R6: the descriptors of a message do not grow with its targets. */
static void
test_many_targets(void **state)
{
	struct place *p = *state;
	struct smtpd_maildir_message *m = smtpd_maildir_begin(p->md);
	int before = count_files();
	char line[1000];

	memset(line, 'x', sizeof(line));
	for (int i = 0; i < 300; i++)
		assert_int_equal(
		    add(p, m, i % 2 == 0 ? p->ann : p->elsewhere), 0);
	for (int i = 0; i < 100; i++)
		assert_int_equal(smtpd_maildir_write(m, line, sizeof(line)), 0);
	assert_true(count_files() <= before + 5);
	assert_int_equal(smtpd_maildir_commit(m), 0);
	assert_int_equal(count_files(), before);
	assert_int_equal(count(p->ann, "new"), 150);
	assert_int_equal(count(p->elsewhere, "new"), 150);
}

/* R14: what is wrong with a mailbox is found out without a message. */
static void
test_check(void **state)
{
	struct place *p = *state;
	size_t root = strlen(p->root);
	char path[128];

	disk = (struct statvfs){ .f_frsize = 4096, .f_bavail = 10 };
	assert_int_equal(smtpd_maildir_check(p->ann, root, 0), 0);
	assert_int_equal(smtpd_maildir_check(p->ann, root, 40959), 0);
	assert_int_equal(smtpd_maildir_check(p->ann, root, 40960), -1);
	assert_int_equal(errno, ENOSPC);
	disk.f_bavail = 0;
	assert_int_equal(smtpd_maildir_check(p->ann, root, 0), -1);
	assert_int_equal(errno, ENOSPC);
	disk = (struct statvfs){
		.f_frsize = 4096, .f_bavail = 10, .f_files = 100
	};
	assert_int_equal(smtpd_maildir_check(p->ann, root, 0), -1);
	assert_int_equal(errno, ENOSPC);
	disk.f_favail = 1;
	assert_int_equal(smtpd_maildir_check(p->ann, root, 0), 0);
	snprintf(path, sizeof(path), "%s/tmp", p->ann);
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(smtpd_maildir_check(p->ann, root, 0), -1);
	assert_int_equal(errno, ENOENT);
	assert_int_equal(symlink("../../elsewhere/tmp", path), 0);
	assert_int_equal(smtpd_maildir_check(p->ann, root, 0), -1);
	assert_int_equal(errno, ELOOP);
	assert_int_equal(smtpd_maildir_check(NULL, 0, 0), -1);
	assert_int_equal(errno, EINVAL);
}

static struct rlimit files_before;

static void *
give_files(void *unused)
{
	nanosleep(&(struct timespec){ 0, 100000000 }, NULL);
	setrlimit(RLIMIT_NOFILE, &files_before);
	return unused;
}

static void
take_files(void)
{
	struct rlimit none;
	pthread_t thread;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &files_before), 0);
	none = files_before;
	none.rlim_cur = 3;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	assert_int_equal(pthread_create(&thread, NULL, give_files, NULL), 0);
	pthread_detach(thread);
}

/* R6: copies are removed again also when descriptors have run out. */
static void
test_undo_without_files(void **state)
{
	struct place *p = *state;
	struct smtpd_maildir_message *m = smtpd_maildir_begin(p->md);

	assert_int_equal(add(p, m, p->ann), 0);
	assert_int_equal(add(p, m, p->elsewhere), 0);
	failing = "elsewhere/new";
	on_failure = take_files;
	assert_int_equal(smtpd_maildir_commit(m), -1);
	assert_int_equal(errno, EIO);
	assert_int_equal(count(p->ann, "new"), 0);
	assert_int_equal(count(p->elsewhere, "new"), 0);
}

int
main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(test_links),
		CASE(test_late_links),
		CASE(test_links_in_root),
		CASE(test_owners),
		CASE(test_clean_readers_names),
		CASE(test_young_maildir),
		CASE(test_check),
		CASE(test_many_targets),
		CASE(test_undo_without_files),
	};
#undef CASE

	return cmocka_run_group_tests(tests, NULL, NULL);
}
