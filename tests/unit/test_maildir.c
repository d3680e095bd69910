/* SPDX-License-Identifier: MIT */
/* For unshare(), mount() and syscall(). */
#define _GNU_SOURCE
#include <smtpd/maildir.h>

#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <pthread.h>
#include <regex.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "test.h"

#define NAME_PATTERN \
	"^[0-9]+\\.M[0-9]{6}P[0-9]+Q[0-9]+\\.mx\\.example\\.org,S=[0-9]+$"

/* The fsync after so many that fails; 0: none. */
static int failing_sync;
static int sync_calls;

int
fsync(int fd)
{
	if (failing_sync > 0) {
		sync_calls++;
		if (sync_calls == failing_sync) {
			errno = EIO;
			return -1;
		}
	}
	return (int)syscall(SYS_fsync, fd);
}

struct place {
	struct smtpd_maildir *md;
	char root[64];
	char a[80]; /* two Maildirs in it */
	char b[80];
};

/* Names for HOST, no look at a disk. */
static struct smtpd_maildir *
create_for(const char *host)
{
	return smtpd_maildir_create(&(struct smtpd_maildir_settings){
	    SMTPD_MAILDIR_SETTINGS_INIT, .hostname = host });
}

static int
setup(void **state)
{
	struct place *p = calloc(1, sizeof(*p));

	assert_non_null(p);
	failing_sync = 0;
	sync_calls = 0;
	snprintf(p->root, sizeof(p->root), "/var/tmp/test_maildir.XXXXXX");
	assert_non_null(mkdtemp(p->root));
	snprintf(p->a, sizeof(p->a), "%s/a/Maildir", p->root);
	snprintf(p->b, sizeof(p->b), "%s/b/Maildir", p->root);
	assert_int_equal(smtpd_maildir_make(p->a, strlen(p->root)), 0);
	assert_int_equal(smtpd_maildir_make(p->b, strlen(p->root)), 0);
	p->md = create_for("mx.example.org");
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

static void
remove_tree(const char *path)
{
	nftw(path, remove_one, 8, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
}

static int
teardown(void **state)
{
	struct place *p = *state;

	smtpd_maildir_destroy(p->md);
	remove_tree(p->root);
	free(p);
	return 0;
}

/* Count the files in PART of MAILDIR; copy the name of one to NAME. */
static int
count(const char *maildir, const char *part, char *name, size_t size)
{
	char path[128];
	struct dirent *entry;
	DIR *dir;
	int n = 0;

	snprintf(path, sizeof(path), "%s/%s", maildir, part);
	dir = opendir(path);
	if (dir == NULL)
		return 0;
	while ((entry = readdir(dir)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		if (name != NULL)
			snprintf(name, size, "%s", entry->d_name);
		n++;
	}
	closedir(dir);
	return n;
}

static void
assert_empty(const char *maildir)
{
	assert_int_equal(count(maildir, "tmp", NULL, 0), 0);
	assert_int_equal(count(maildir, "new", NULL, 0), 0);
	assert_int_equal(count(maildir, "cur", NULL, 0), 0);
}

/* Read the only message in new/ of MAILDIR; the caller frees it. */
static char *
only_message(const char *maildir, size_t *len)
{
	char name[256], path[512];
	struct stat st;
	char *text;
	int fd;

	assert_int_equal(count(maildir, "tmp", NULL, 0), 0);
	assert_int_equal(count(maildir, "new", name, sizeof(name)), 1);
	snprintf(path, sizeof(path), "%s/new/%s", maildir, name);
	fd = open(path, O_RDONLY);
	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(
	    st.st_size, strtoll(strstr(name, ",S=") + 3, NULL, 10));
	text = calloc(1, (size_t)st.st_size + 1);
	assert_non_null(text);
	assert_int_equal(read(fd, text, (size_t)st.st_size), st.st_size);
	close(fd);
	unlink(path);
	if (len != NULL)
		*len = (size_t)st.st_size;
	return text;
}

static void
assert_message(const char *maildir, const char *want)
{
	char *text = only_message(maildir, NULL);

	assert_string_equal(text, want);
	free(text);
}

static int
add(struct place *p, struct smtpd_maildir_message *m, const char *path,
    const char *header)
{
	return smtpd_maildir_add(
	    m, path, strlen(p->root), header, strlen(header));
}

static struct smtpd_maildir_message *
begin(struct place *p, const char *path, const char *header)
{
	struct smtpd_maildir_message *m = smtpd_maildir_begin(p->md);

	assert_non_null(m);
	assert_int_equal(add(p, m, path, header), 0);
	return m;
}

static void
put(struct smtpd_maildir_message *m, const char *text)
{
	assert_int_equal(smtpd_maildir_write(m, text, strlen(text)), 0);
}

static void
test_line_ends(void **state)
{
	static const struct {
		const char *in;
		const char *out;
	} cases[] = {
		{ "", "H: 1\n" },
		{ "a\r\n", "H: 1\na\n" },
		{ "a\r\nb\r\n", "H: 1\na\nb\n" },
		{ "\r\n\r\na", "H: 1\n\n\na" },
		{ "a\rb\r\n", "H: 1\na\rb\n" },
		{ "a\r\r\nb", "H: 1\na\r\nb" },
		{ "a\nb\r", "H: 1\na\nb\r" },
	};
	struct place *p = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		size_t len = strlen(cases[i].in);

		for (size_t split = 0; split <= len; split++) {
			struct smtpd_maildir_message *m;

			m = begin(p, p->a, "H: 1\r\n");
			assert_int_equal(
			    smtpd_maildir_write(m, cases[i].in, split), 0);
			put(m, cases[i].in + split);
			assert_int_equal(smtpd_maildir_commit(m), 0);
			assert_message(p->a, cases[i].out);
		}
	}
}

static void
test_bytewise(void **state)
{
	struct place *p = *state;
	struct smtpd_maildir_message *m = begin(p, p->a, "");
	const char *text = "one\r\ntwo\r\n";

	for (const char *at = text; *at != '\0'; at++)
		assert_int_equal(smtpd_maildir_write(m, at, 1), 0);
	assert_int_equal(smtpd_maildir_commit(m), 0);
	assert_message(p->a, "one\ntwo\n");
}

static void
test_nul(void **state)
{
	struct place *p = *state;
	struct smtpd_maildir_message *m = begin(p, p->a, "");
	size_t len;
	char *text;

	assert_int_equal(smtpd_maildir_write(m, "a\0b\r\n", 5), 0);
	assert_int_equal(smtpd_maildir_commit(m), 0);
	text = only_message(p->a, &len);
	assert_int_equal(len, 4);
	assert_memory_equal(text, "a\0b\n", 4);
	free(text);
}

static void
test_several_targets(void **state)
{
	struct place *p = *state;
	struct smtpd_maildir_message *m = begin(p, p->a, "To: a\r\n");

	assert_int_equal(add(p, m, p->b, "To: bb\n"), 0);
	assert_int_equal(add(p, m, p->b, ""), 0);
	put(m, "\r\ntext\r\n");
	assert_int_equal(count(p->a, "new", NULL, 0), 0);
	assert_int_equal(smtpd_maildir_commit(m), 0);
	assert_message(p->a, "To: a\n\ntext\n");
	assert_int_equal(count(p->b, "new", NULL, 0), 2);
}

/* Write LINES lines of 100 octets each. */
static void
put_lines(struct smtpd_maildir_message *m, int lines)
{
	char line[101];

	for (int i = 0; i < lines; i++) {
		snprintf(line, sizeof(line), "%98d\r\n", i);
		put(m, line);
	}
}

static void
assert_lines(const char *maildir, const char *header, int lines)
{
	size_t len, start = strlen(header);
	char *text = only_message(maildir, &len);

	assert_int_equal(len, start + (size_t)lines * 99);
	assert_memory_equal(text, header, start);
	for (int i = 0; i < lines; i++) {
		char line[101];

		snprintf(line, sizeof(line), "%98d\n", i);
		assert_memory_equal(text + start + (size_t)i * 99, line, 99);
	}
	free(text);
}

/* Sizes around those of the buffers, and well over them. */
static void
test_large(void **state)
{
	static const int lines[] = { 80, 82, 83, 84, 160, 600, 619, 620, 621,
		622, 640, 661, 662, 663, 664, 1300, 20000 };
	struct place *p = *state;

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		struct smtpd_maildir_message *m = begin(p, p->a, "To: a\n");

		assert_int_equal(add(p, m, p->b, "To: other\r\n"), 0);
		put_lines(m, lines[i]);
		assert_int_equal(smtpd_maildir_commit(m), 0);
		assert_lines(p->a, "To: a\n", lines[i]);
		assert_lines(p->b, "To: other\n", lines[i]);
	}
}

static void
test_one_large_write(void **state)
{
	struct place *p = *state;
	struct smtpd_maildir_message *m = begin(p, p->a, "");
	size_t size = 1000003, len;
	char *in = malloc(size), *out;

	assert_non_null(in);
	for (size_t i = 0; i < size; i++)
		in[i] = (char)('a' + i % 26);
	assert_int_equal(smtpd_maildir_write(m, in, size), 0);
	assert_int_equal(smtpd_maildir_commit(m), 0);
	out = only_message(p->a, &len);
	assert_int_equal(len, size);
	assert_memory_equal(out, in, size);
	free(in);
	free(out);
}

static void
test_large_headers(void **state)
{
	struct place *p = *state;
	struct smtpd_maildir_message *m = smtpd_maildir_begin(p->md);
	char header[3001];

	memset(header, 'x', sizeof(header) - 2);
	memcpy(header + sizeof(header) - 2, "\n", sizeof("\n"));
	for (int i = 0; i < 100; i++)
		assert_int_equal(add(p, m, i == 0 ? p->a : p->b, header), 0);
	put_lines(m, 2000);
	assert_int_equal(smtpd_maildir_commit(m), 0);
	assert_int_equal(count(p->b, "new", NULL, 0), 99);
	free(only_message(p->a, NULL));
}

static void
test_abort_leaves_nothing(void **state)
{
	struct place *p = *state;
	struct smtpd_maildir_message *m = begin(p, p->a, "H: 1\n");

	put_lines(m, 1000);
	assert_int_equal(count(p->a, "tmp", NULL, 0), 1);
	smtpd_maildir_abort(m);
	assert_empty(p->a);
	smtpd_maildir_abort(NULL);
}

/* Commit to both Maildirs, with PART of the second one gone. */
static void
fail_without(struct place *p, const char *part, int lines)
{
	struct smtpd_maildir_message *m = begin(p, p->a, "H: 1\n");
	char path[128];

	assert_int_equal(add(p, m, p->b, ""), 0);
	put_lines(m, lines);
	snprintf(path, sizeof(path), "%s/%s", p->b, part);
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(smtpd_maildir_commit(m), -1);
	assert_int_equal(errno, ENOENT);
	assert_empty(p->a);
	assert_empty(p->b);
}

static void
test_new_is_gone(void **state)
{
	fail_without(*state, "new", 10);
}

static void
test_new_is_gone_large(void **state)
{
	fail_without(*state, "new", 3000);
}

static void
test_tmp_is_gone(void **state)
{
	fail_without(*state, "tmp", 10);
}

static void
test_tmp_is_gone_large(void **state)
{
	fail_without(*state, "tmp", 3000);
}

static void
test_new_is_a_file(void **state)
{
	struct place *p = *state;
	struct smtpd_maildir_message *m = begin(p, p->a, "H: 1\n");
	char path[128];

	assert_int_equal(add(p, m, p->b, ""), 0);
	snprintf(path, sizeof(path), "%s/new", p->b);
	assert_int_equal(rmdir(path), 0);
	close(open(path, O_WRONLY | O_CREAT, 0600));
	assert_int_equal(smtpd_maildir_commit(m), -1);
	assert_int_equal(errno, ENOTDIR);
	assert_empty(p->a);
}

/* Both copies are in new/ when a sync of a directory fails. */
static void
test_directory_sync_fails(void **state)
{
	struct place *p = *state;

	for (int call = 1; call <= 2; call++) {
		struct smtpd_maildir_message *m = begin(p, p->a, "H: 1\n");

		assert_int_equal(add(p, m, p->b, ""), 0);
		put(m, "text\r\n");
		sync_calls = 0;
		failing_sync = call;
		assert_int_equal(smtpd_maildir_commit(m), -1);
		assert_int_equal(errno, EIO);
		failing_sync = 0;
		assert_empty(p->a);
		assert_empty(p->b);
	}
}

static void
test_file_too_large(void **state)
{
	struct place *p = *state;
	struct smtpd_maildir_message *m = begin(p, p->a, "H: 1\n");
	struct rlimit old, small;
	char line[1000];
	int result = 0;

	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	small = old;
	small.rlim_cur = 100000;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	memset(line, 'x', sizeof(line));
	for (int i = 0; i < 1000 && result == 0; i++)
		result = smtpd_maildir_write(m, line, sizeof(line));
	setrlimit(RLIMIT_FSIZE, &old);
	assert_int_equal(result, -1);
	assert_int_equal(errno, EFBIG);
	assert_int_equal(smtpd_maildir_write(m, line, 1), -1);
	assert_int_equal(errno, EFBIG);
	assert_int_equal(smtpd_maildir_commit(m), -1);
	assert_int_equal(errno, EFBIG);
	assert_empty(p->a);
}

/* Mount a file system of 512 KiB at PATH, for this process only. */
static bool
mount_small(const char *path)
{
	return unshare(CLONE_NEWNS) == 0 &&
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
	    mount("tmpfs", path, "tmpfs", 0, "size=512k") == 0;
}

/* Deliver LINES lines to both Maildirs; return errno, or 0. */
static int
deliver(struct place *p, int lines)
{
	struct smtpd_maildir_message *m = begin(p, p->a, "H: 1\n");
	char line[101];
	int result = 0;

	assert_int_equal(add(p, m, p->b, ""), 0);
	for (int i = 0; i < lines && result == 0; i++) {
		snprintf(line, sizeof(line), "%98d\r\n", i);
		result = smtpd_maildir_write(m, line, 100);
	}
	return smtpd_maildir_commit(m) == 0 ? 0 : errno;
}

static void
test_room_without_root(void **state)
{
	struct place *p = *state;

	assert_true(smtpd_maildir_has_room(p->md, UINT64_MAX));
}

static void
test_settings(void **state)
{
	struct smtpd_maildir_settings settings = { .hostname = "h" };

	(void)state;
	assert_null(smtpd_maildir_create(&settings));
	assert_int_equal(errno, EINVAL);
	settings = (struct smtpd_maildir_settings){
		SMTPD_MAILDIR_SETTINGS_INIT,
		.root = "/nowhere/at/all",
	};
	assert_null(smtpd_maildir_create(&settings));
	assert_int_equal(errno, ENOENT);
	smtpd_maildir_destroy(smtpd_maildir_create(NULL));
}

/* Of the 512 KiB of the disk DIRECTORY. */
static void
check_room(const char *directory)
{
	struct smtpd_maildir *md =
	    smtpd_maildir_create(&(struct smtpd_maildir_settings){
		SMTPD_MAILDIR_SETTINGS_INIT,
		.root = directory,
		.min_free = 262144,
	    });

	assert_non_null(md);
	assert_true(smtpd_maildir_has_room(md, 131072));
	assert_false(smtpd_maildir_has_room(md, 262144));
	smtpd_maildir_destroy(md);
}

static void
test_disk_full(void **state)
{
	struct place *p = *state;

	if (!mount_small(p->b)) {
		print_message("no right to mount: not tested\n");
		skip();
	}
	check_room(p->b);
	assert_int_equal(smtpd_maildir_make(p->b, strlen(p->b)), 0);
	assert_int_equal(deliver(p, 8000), ENOSPC);
	assert_empty(p->a);
	assert_empty(p->b);
	assert_int_equal(deliver(p, 1000), 0);
	assert_int_equal(count(p->a, "new", NULL, 0), 1);
	assert_int_equal(count(p->b, "new", NULL, 0), 1);
	umount(p->b);
}

static void
test_misuse(void **state)
{
	struct place *p = *state;
	struct smtpd_maildir_message *m = smtpd_maildir_begin(p->md);

	assert_int_equal(smtpd_maildir_commit(m), -1);
	assert_int_equal(errno, EINVAL);
	m = begin(p, p->a, "");
	put(m, "text");
	assert_int_equal(add(p, m, p->b, ""), -1);
	assert_int_equal(errno, EINVAL);
	smtpd_maildir_abort(m);
	assert_empty(p->a);
	assert_int_equal(smtpd_maildir_make(NULL, 0), -1);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(smtpd_maildir_make("", 0), -1);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(smtpd_maildir_clean(NULL, 0, 0), -1);
	assert_int_equal(errno, EINVAL);
}

static void
test_missing_maildir(void **state)
{
	struct place *p = *state;
	struct smtpd_maildir_message *m = begin(p, p->a, "");
	char path[128];

	snprintf(path, sizeof(path), "%s/c", p->root);
	assert_int_equal(add(p, m, path, "no"), -1);
	assert_int_equal(errno, ENOENT);
	assert_int_equal(smtpd_maildir_make(path, strlen(p->root)), 0);
	assert_int_equal(add(p, m, path, "yes"), 0);
	assert_int_equal(smtpd_maildir_commit(m), 0);
	assert_message(p->a, "");
	assert_message(path, "yes");
}

/* One that another thread has just begun to make. */
static void
test_half_made_maildir(void **state)
{
	struct place *p = *state;
	struct smtpd_maildir_message *m = smtpd_maildir_begin(p->md);
	char path[128];

	snprintf(path, sizeof(path), "%s/c", p->root);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(add(p, m, path, ""), -1);
	assert_int_equal(errno, ENOENT);
	assert_int_equal(smtpd_maildir_make(path, strlen(p->root)), 0);
	assert_int_equal(add(p, m, path, ""), 0);
	assert_int_equal(smtpd_maildir_commit(m), 0);
	assert_message(path, "");
}

static void
assert_matches(const char *name, const char *pattern)
{
	regex_t re;

	assert_int_equal(regcomp(&re, pattern, REG_EXTENDED | REG_NOSUB), 0);
	if (regexec(&re, name, 0, NULL, 0) != 0)
		fail_msg("%s does not match %s", name, pattern);
	regfree(&re);
}

static void
test_name(void **state)
{
	struct place *p = *state;
	struct smtpd_maildir_message *m = begin(p, p->a, "");
	char name[256];

	put_lines(m, 1000);
	count(p->a, "tmp", name, sizeof(name));
	assert_matches(name, "^[0-9]+\\.M[0-9]{6}P[0-9]+Q[0-9]+\\.mx");
	assert_int_equal(smtpd_maildir_commit(m), 0);
	count(p->a, "new", name, sizeof(name));
	assert_matches(name, NAME_PATTERN);
}

static void
test_hosts(void **state)
{
	static const struct {
		const char *host;
		const char *pattern;
	} cases[] = {
		{ "h", "Q1\\.h,S=1$" },
		{ "a/b", "Q1\\.a\\\\057b,S=1$" },
		{ "a:b,c", "Q1\\.a\\\\072b\\\\054c,S=1$" },
		{ "a\n\x7f\\ ", "Q1\\.a\\\\012\\\\177\\\\134\\\\040,S=1$" },
		{ "../../etc", "Q1\\.\\.\\.\\\\057\\.\\.\\\\057etc,S=1$" },
	};
	struct place *p = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct smtpd_maildir_message *m;
		char name[256];

		smtpd_maildir_destroy(p->md);
		p->md = create_for(cases[i].host);
		assert_non_null(p->md);
		m = begin(p, p->a, "");
		put(m, "x");
		assert_int_equal(smtpd_maildir_commit(m), 0);
		count(p->a, "new", name, sizeof(name));
		assert_matches(name, cases[i].pattern);
		assert_message(p->a, "x");
	}
}

static void
test_host_lengths(void **state)
{
	struct place *p = *state;
	struct smtpd_maildir_message *m;
	char host[257];

	assert_null(create_for(""));
	assert_int_equal(errno, EINVAL);
	memset(host, ':', sizeof(host));
	host[256] = '\0';
	assert_null(create_for(host));
	assert_int_equal(errno, EINVAL);
	host[255] = '\0';
	smtpd_maildir_destroy(p->md);
	p->md = create_for(host);
	assert_non_null(p->md);
	m = begin(p, p->a, "");
	assert_int_equal(smtpd_maildir_commit(m), 0);
	assert_message(p->a, "");
}

#define THREADS  16
#define MESSAGES 500

static void *
deliver_many(void *arg)
{
	struct place *p = arg;

	for (int i = 0; i < MESSAGES; i++) {
		struct smtpd_maildir_message *m = smtpd_maildir_begin(p->md);

		if (m == NULL || add(p, m, p->a, "") == -1 ||
		    smtpd_maildir_write(m, "text\r\n", 6) == -1 ||
		    smtpd_maildir_commit(m) == -1)
			return p;
	}
	return NULL;
}

static void
test_threads(void **state)
{
	pthread_t threads[THREADS];

	for (int i = 0; i < THREADS; i++)
		assert_int_equal(
		    pthread_create(&threads[i], NULL, deliver_many, *state), 0);
	for (int i = 0; i < THREADS; i++) {
		void *failed;

		assert_int_equal(pthread_join(threads[i], &failed), 0);
		assert_null(failed);
	}
	assert_int_equal(count(((struct place *)*state)->a, "new", NULL, 0),
	    THREADS * MESSAGES);
	assert_int_equal(count(((struct place *)*state)->a, "tmp", NULL, 0), 0);
}

static void
make_old(const char *maildir, const char *name, time_t age)
{
	struct timespec times[2];
	char path[256];

	snprintf(path, sizeof(path), "%s/tmp/%s", maildir, name);
	close(open(path, O_WRONLY | O_CREAT, 0600));
	clock_gettime(CLOCK_REALTIME, &times[0]);
	times[0].tv_sec -= age;
	times[1] = times[0];
	assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

static void
test_clean(void **state)
{
	static const char *const kept[] = { "1.M2P3Q4", "1.M2P3Q4.", "1.M2P3.h",
		"M2P3Q4.h", "1.M2P3Q.h", "notes", "1700000000.17.host" };
	struct place *p = *state;
	time_t before = time(NULL) - 1000;
	char path[128];

	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
		make_old(p->a, kept[i], 2000);
	make_old(p->a, "1.M000002P3Q4.host", 500);
	make_old(p->a, "1.M000002P3Q5.host", 2000);
	make_old(p->a, "1.M000002P3Q6.host,S=17", 2000);
	snprintf(path, sizeof(path), "%s/tmp/1.M000002P3Q7.host", p->a);
	assert_int_equal(mkdir(path, 0700), 0);

	assert_int_equal(
	    smtpd_maildir_clean(p->a, strlen(p->root), time(NULL) - 5000), 0);
	assert_int_equal(smtpd_maildir_clean(p->a, strlen(p->root), before), 2);
	assert_int_equal(count(p->a, "tmp", NULL, 0), 9);
	assert_int_equal(
	    smtpd_maildir_clean(p->root, strlen(p->root), before), -1);
	assert_int_equal(errno, ENOENT);
}

static void
test_make(void **state)
{
	struct place *p = *state;
	char path[256];
	struct stat st;

	snprintf(path, sizeof(path), "%s//x///y/Maildir/", p->root);
	assert_int_equal(smtpd_maildir_make(path, strlen(p->root)), 0);
	assert_int_equal(smtpd_maildir_make(path, strlen(p->root)), 0);
	strncat(path, "cur", sizeof(path) - strlen(path) - 1);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode, S_IFDIR | 0700);
	snprintf(path, sizeof(path), "%s/x", p->root);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode, S_IFDIR | 0700);
	assert_int_equal(smtpd_maildir_make(p->root, strlen(p->root)), 0);
}

static void
test_make_without_root(void **state)
{
	struct place *p = *state;
	char path[256];
	struct stat st;

	snprintf(path, sizeof(path), "%s/none/u/Maildir", p->root);
	assert_int_equal(
	    smtpd_maildir_make(path, strlen(path) - strlen("/u/Maildir")), -1);
	assert_int_equal(errno, ENOENT);
	snprintf(path, sizeof(path), "%s/none", p->root);
	assert_int_equal(stat(path, &st), -1);
}

static void
test_make_over_a_file(void **state)
{
	struct place *p = *state;
	char path[256];

	snprintf(path, sizeof(path), "%s/file", p->root);
	close(open(path, O_WRONLY | O_CREAT, 0600));
	strncat(path, "/Maildir", sizeof(path) - strlen(path) - 1);
	assert_int_equal(smtpd_maildir_make(path, strlen(p->root)), -1);
	assert_int_equal(errno, ENOTDIR);
}

static void *
make_many(void *arg)
{
	struct place *p = arg;
	char path[128];

	for (int i = 0; i < 50; i++) {
		snprintf(path, sizeof(path), "%s/m%d/n/o", p->root, i);
		if (smtpd_maildir_make(path, strlen(p->root)) == -1)
			return p;
	}
	return NULL;
}

static void
test_make_at_once(void **state)
{
	pthread_t threads[4];

	for (int i = 0; i < 4; i++)
		assert_int_equal(
		    pthread_create(&threads[i], NULL, make_many, *state), 0);
	for (int i = 0; i < 4; i++) {
		void *failed;

		assert_int_equal(pthread_join(threads[i], &failed), 0);
		assert_null(failed);
	}
}

/* The first messages for somebody come together. */
static void *
deliver_first(void *arg)
{
	struct place *p = arg;
	char path[128];

	for (int i = 0; i < 30; i++) {
		struct smtpd_maildir_message *m = smtpd_maildir_begin(p->md);

		snprintf(path, sizeof(path), "%s/first%d/m", p->root, i);
		if (m == NULL ||
		    (add(p, m, path, "") == -1 &&
			(errno != ENOENT ||
			    smtpd_maildir_make(path, strlen(p->root)) == -1 ||
			    add(p, m, path, "") == -1)) ||
		    smtpd_maildir_commit(m) == -1)
			return p;
	}
	return NULL;
}

static void
test_first_deliveries(void **state)
{
	pthread_t threads[8];

	for (int i = 0; i < 8; i++)
		assert_int_equal(
		    pthread_create(&threads[i], NULL, deliver_first, *state),
		    0);
	for (int i = 0; i < 8; i++) {
		void *failed;

		assert_int_equal(pthread_join(threads[i], &failed), 0);
		assert_null(failed);
	}
}

int
main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(test_line_ends), CASE(test_bytewise), CASE(test_nul),
		CASE(test_several_targets), CASE(test_large),
		CASE(test_one_large_write), CASE(test_large_headers),
		CASE(test_abort_leaves_nothing), CASE(test_new_is_gone),
		CASE(test_new_is_gone_large), CASE(test_tmp_is_gone),
		CASE(test_tmp_is_gone_large), CASE(test_new_is_a_file),
		CASE(test_directory_sync_fails), CASE(test_file_too_large),
		CASE(test_misuse), CASE(test_missing_maildir),
		CASE(test_half_made_maildir), CASE(test_name), CASE(test_hosts),
		CASE(test_host_lengths), CASE(test_threads), CASE(test_clean),
		CASE(test_make), CASE(test_make_without_root),
		CASE(test_make_over_a_file), CASE(test_make_at_once),
		CASE(test_first_deliveries), CASE(test_room_without_root),
		CASE(test_settings),
		CASE(test_disk_full), /* the last: it leaves the mounts */
	};
#undef CASE

	return cmocka_run_group_tests(tests, NULL, NULL);
}
