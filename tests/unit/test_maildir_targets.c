/* SPDX-License-Identifier: MIT */
/* For syscall(). */
#define _GNU_SOURCE
#include <smtpd/maildir.h>

#include <sys/stat.h>
#include <sys/syscall.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "test.h"

/* More than a message keeps in memory. */
#define LARGE 200000

/* Which call of these fails; 0: none. */
static int failing_sync, failing_write;
static int sync_calls, write_calls;

int
fsync(int fd)
{
	if (failing_sync > 0 && ++sync_calls == failing_sync) {
		errno = EIO;
		return -1;
	}
	return (int)syscall(SYS_fsync, fd);
}

ssize_t
write(int fd, const void *buf, size_t len)
{
	if (failing_write > 0 && ++write_calls == failing_write) {
		errno = EDQUOT;
		return -1;
	}
	return syscall(SYS_write, fd, buf, len);
}

/* Three Maildirs in a directory, and what the library said of them. */
struct place {
	struct smtpd_maildir *md;
	struct smtpd_maildir_message *m;
	char root[64];
	char paths[3][80];
	int errors[3];
	bool refuse; /* let no target fail alone */
	int also;    /* drop this one too when one fails; -1: none */
};

static int
setup(void **state)
{
	struct place *p = calloc(1, sizeof(*p));

	assert_non_null(p);
	failing_sync = failing_write = sync_calls = write_calls = 0;
	p->also = -1;
	snprintf(p->root, sizeof(p->root), "/var/tmp/test_maildir.XXXXXX");
	assert_non_null(mkdtemp(p->root));
	for (int i = 0; i < 3; i++) {
		snprintf(p->paths[i], sizeof(p->paths[i]), "%s/%c", p->root,
		    'a' + i);
		assert_int_equal(
		    smtpd_maildir_make(p->paths[i], strlen(p->root)), 0);
	}
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

static bool
failed(void *user, size_t i, int error)
{
	struct place *p = user;

	assert_true(i < 3);
	assert_int_equal(p->errors[i], 0);
	p->errors[i] = error;
	if (p->also >= 0)
		smtpd_maildir_drop(p->m, (size_t)p->also);
	return !p->refuse;
}

static const char *const headers[] = { "To: a\n", "To: bb\n", "To: ccc\n" };

/* Begin a message to all three, each with a header of its own. */
static void
begin(struct place *p)
{
	p->m = smtpd_maildir_begin(p->md);
	assert_non_null(p->m);
	for (int i = 0; i < 3; i++)
		assert_int_equal(
		    smtpd_maildir_add(p->m, p->paths[i], strlen(p->root),
			headers[i], strlen(headers[i])),
		    0);
	smtpd_maildir_set_failed(p->m, failed, p);
}

/* Octet I of the body. */
static char
octet(size_t i)
{
	return (char)('a' + i / 7 % 26);
}

/* Write SIZE octets.  Return as smtpd_maildir_write(). */
static int
write_body(struct place *p, size_t size)
{
	char piece[1000];
	size_t n;

	for (size_t at = 0; at < size; at += n) {
		for (n = 0; n < sizeof(piece) && at + n < size; n++)
			piece[n] = octet(at + n);
		if (smtpd_maildir_write(p->m, piece, n) == -1)
			return -1;
	}
	return 0;
}

/* Put a file in the place of PART of Maildir I. */
static void
spoil(const struct place *p, int i, const char *part)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", p->paths[i], part);
	nftw(path, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	assert_int_equal(close(open(path, O_WRONLY | O_CREAT, 0600)), 0);
}

/* See that PART of Maildir I is empty, or has a message of SIZE octets under
 * its header. */
static void
assert_content(const struct place *p, int i, const char *part, ssize_t size)
{
	char path[128], head[8];
	struct dirent *entry;
	FILE *file = NULL;
	DIR *dir;

	snprintf(path, sizeof(path), "%s/%s", p->paths[i], part);
	dir = opendir(path);
	if (dir == NULL)
		return;
	while ((entry = readdir(dir)) != NULL) {
		int fd;

		if (entry->d_name[0] == '.')
			continue;
		assert_null(file);
		fd = openat(dirfd(dir), entry->d_name, O_RDONLY);
		assert_true(fd >= 0);
		file = fdopen(fd, "r");
	}
	closedir(dir);
	if (size == -1) {
		assert_null(file);
		return;
	}
	assert_non_null(file);
	assert_int_equal(
	    fread(head, 1, strlen(headers[i]), file), strlen(headers[i]));
	assert_memory_equal(head, headers[i], strlen(headers[i]));
	for (ssize_t k = 0; k < size; k++)
		if (getc(file) != octet((size_t)k))
			fail_msg("octet %zd is another one", k);
	assert_int_equal(getc(file), EOF);
	fclose(file);
}

/* See that those of the Maildirs have a message of SIZE octets whose letters
 * are in WHO, and the others, and tmp/, nothing. */
static void
assert_stored(const struct place *p, const char *who, size_t size)
{
	for (int i = 0; i < 3; i++) {
		bool stored = strchr(who, 'a' + i) != NULL;

		assert_content(p, i, "new", stored ? (ssize_t)size : -1);
		assert_content(p, i, "tmp", -1);
	}
}

static const size_t sizes[] = { 100, LARGE };

/* Whichever fails, and wherever, the others get the message whole. */
static void
test_each_fails(void **state)
{
	static const char *const parts[] = { "tmp", "new" };
	static const char *const others[] = { "bc", "ac", "ab" };

	(void)state;
	for (size_t k = 0; k < 12; k++) {
		int i = (int)k % 3;
		size_t size = sizes[k / 3 % 2];
		struct place *p;

		setup((void **)&p);
		begin(p);
		spoil(p, i, parts[k / 6]);
		assert_int_equal(write_body(p, size), 0);
		assert_int_equal(smtpd_maildir_commit(p->m), 0);
		for (int n = 0; n < 3; n++)
			assert_int_equal(p->errors[n] != 0, n == i);
		assert_stored(p, others[i], size);
		teardown((void **)&p);
	}
}

/* One after the other, up to the last one. */
static void
test_all_fail(void **state)
{
	(void)state;
	for (size_t k = 0; k < 2; k++) {
		struct place *p;
		int result;

		setup((void **)&p);
		begin(p);
		for (int i = 0; i < 3; i++)
			spoil(p, i, "tmp");
		result = write_body(p, sizes[k]);
		assert_int_equal(result, k == 0 ? 0 : -1);
		assert_int_equal(smtpd_maildir_commit(p->m), -1);
		assert_int_equal(errno, p->errors[2]);
		assert_int_equal(p->errors[2], ENOTDIR);
		assert_stored(p, "", 0);
		teardown((void **)&p);
	}
}

/* Write the names of the mailboxes without an error to WHO. */
static void
name_good(const struct place *p, char who[4])
{
	for (int i = 0; i < 3; i++)
		if (p->errors[i] == 0)
			*who++ = "abc"[i];
	*who = '\0';
}

/* Whichever write fails, one target goes without, and the rest is whole. */
static void
test_writes_fail(void **state)
{
	int failures = 0;

	(void)state;
	for (int n = 1; n < 40; n++) {
		struct place *p;
		char who[4] = "";

		setup((void **)&p);
		begin(p);
		failing_write = n;
		assert_int_equal(write_body(p, LARGE), 0);
		assert_int_equal(smtpd_maildir_commit(p->m), 0);
		failing_write = 0;
		name_good(p, who);
		if (strlen(who) < 3)
			failures++;
		assert_true(strlen(who) >= 2);
		assert_stored(p, who, LARGE);
		teardown((void **)&p);
	}
	assert_true(failures > 5);
}

static void
test_syncs_fail(void **state)
{
	(void)state;
	for (int n = 1; n < 12; n++) {
		struct place *p;
		char who[4] = "";

		setup((void **)&p);
		begin(p);
		assert_int_equal(write_body(p, sizes[n % 2]), 0);
		failing_sync = n;
		assert_int_equal(smtpd_maildir_commit(p->m), 0);
		failing_sync = 0;
		name_good(p, who);
		assert_stored(p, who, sizes[n % 2]);
		teardown((void **)&p);
	}
}

/* The program may say that the message fails for all then. */
static void
test_refused(void **state)
{
	struct place *p = *state;

	p->refuse = true;
	begin(p);
	spoil(p, 1, "tmp");
	assert_int_equal(write_body(p, LARGE), 0);
	assert_int_equal(smtpd_maildir_commit(p->m), -1);
	assert_int_equal(errno, ENOTDIR);
	assert_stored(p, "", 0);
}

/* Or that others fail with it. */
static void
test_dropped_with_another(void **state)
{
	(void)state;
	for (size_t k = 0; k < 12; k++) {
		struct place *p;
		char who[2] = "";
		int i = (int)k % 3;

		setup((void **)&p);
		p->also = (i + (k < 6 ? 1 : 2)) % 3;
		who[0] = (char)('a' + 3 - i - p->also);
		begin(p);
		spoil(p, i, k % 2 == 0 ? "tmp" : "new");
		assert_int_equal(write_body(p, sizes[k / 3 % 2]), 0);
		assert_int_equal(smtpd_maildir_commit(p->m), 0);
		assert_stored(p, who, sizes[k / 3 % 2]);
		teardown((void **)&p);
	}
}

static void
test_dropped(void **state)
{
	static const char *const others[] = { "bc", "ac", "ab" };

	(void)state;
	for (size_t k = 0; k < 12; k++) {
		size_t size = sizes[k / 3 % 2];
		struct place *p;

		setup((void **)&p);
		begin(p);
		if (k < 6)
			smtpd_maildir_drop(p->m, k % 3);
		assert_int_equal(write_body(p, size), 0);
		for (size_t i = 0; i < 3; i++)
			assert_int_equal(smtpd_maildir_size(p->m, i),
			    strlen(headers[i]) + size);
		assert_int_equal(smtpd_maildir_size(p->m, 3), 0);
		smtpd_maildir_drop(p->m, k % 3);
		smtpd_maildir_drop(p->m, 3);
		assert_int_equal(smtpd_maildir_commit(p->m), 0);
		assert_stored(p, others[k % 3], size);
		teardown((void **)&p);
	}
}

static void
test_all_dropped(void **state)
{
	struct place *p = *state;

	begin(p);
	assert_int_equal(write_body(p, LARGE), 0);
	for (size_t i = 0; i < 3; i++)
		smtpd_maildir_drop(p->m, i);
	assert_int_equal(smtpd_maildir_write(p->m, "x", 1), -1);
	assert_int_equal(errno, ECANCELED);
	assert_int_equal(smtpd_maildir_commit(p->m), -1);
	assert_stored(p, "", 0);
}

/* Make the file PATH of SIZE octets in Maildir 0. */
static void
make_file(const struct place *p, const char *path, size_t size)
{
	char text[256];
	FILE *file;

	snprintf(text, sizeof(text), "%s/%s", p->paths[0], path);
	file = fopen(text, "w");
	assert_non_null(file);
	while (size-- > 0)
		putc('x', file);
	assert_int_equal(fclose(file), 0);
}

static void
make_directory(const struct place *p, const char *path)
{
	char text[256];

	snprintf(text, sizeof(text), "%s/%s", p->paths[0], path);
	assert_int_equal(mkdir(text, 0700), 0);
}

static void
test_usage(void **state)
{
	static const char *const folders[] = { ".Sent", ".Sent/new",
		".Sent/cur", ".Sent/tmp", ".Empty", "plain", "plain/cur" };
	struct place *p = *state;
	size_t root = strlen(p->root);
	uint64_t octets = 1;

	assert_int_equal(smtpd_maildir_usage(p->paths[0], root, &octets), 0);
	assert_int_equal(octets, 0);
	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++)
		make_directory(p, folders[i]);
	make_file(p, "new/1.a.host,S=1000", 1);
	make_file(p, "cur/2.a.host,S=20000,W=20100:2,S", 1);
	make_file(p, "cur/3.a.host:2,S", 7);
	make_file(p, "cur/4.a.host,S=x", 30);
	make_file(p, "cur/5.a.host,S=99z", 200);
	make_file(p, ".Sent/new/6.a.host,S=300000", 1);
	make_file(p, ".Sent/cur/7.a.host,S=4000000", 1);
	make_file(p, ".Sent/tmp/8.a.host,S=7777777", 1);
	make_file(p, "tmp/9.a.host,S=7777777", 1);
	make_file(p, "plain/cur/10.a.host,S=7777777", 1);
	make_file(p, ".file", 1);
	make_file(p, "cur/.hidden,S=7777777", 1);
	assert_int_equal(smtpd_maildir_usage(p->paths[0], root, &octets), 0);
	assert_int_equal(octets, 4321237);
	assert_int_equal(smtpd_maildir_usage("/nonexistent", 0, &octets), -1);
	assert_int_equal(errno, ENOENT);
	assert_int_equal(smtpd_maildir_usage(NULL, 0, &octets), -1);
	assert_int_equal(errno, EINVAL);
}

/* What a delivery puts there counts by its size. */
static void
test_usage_of_deliveries(void **state)
{
	struct place *p = *state;
	uint64_t octets;

	begin(p);
	assert_int_equal(write_body(p, LARGE), 0);
	assert_int_equal(smtpd_maildir_commit(p->m), 0);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(
		    smtpd_maildir_usage(p->paths[i], strlen(p->root), &octets),
		    0);
		assert_int_equal(octets, LARGE + strlen(headers[i]));
	}
}

int
main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_fails),
		cmocka_unit_test(test_all_fail),
		cmocka_unit_test(test_writes_fail),
		cmocka_unit_test(test_syncs_fail),
		CASE(test_refused),
		cmocka_unit_test(test_dropped_with_another),
		cmocka_unit_test(test_dropped),
		CASE(test_all_dropped),
		CASE(test_usage),
		CASE(test_usage_of_deliveries),
	};
#undef CASE

	return cmocka_run_group_tests(tests, NULL, NULL);
}
