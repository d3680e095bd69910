/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "os/file.h"

#include "test.h"

static int
open_temporary(void)
{
	char path[] = "/tmp/test_file.XXXXXX";
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	unlink(path);
	return fd;
}

static void
all_is_written_and_read(void **state)
{
	char got[12] = "";
	int fd = open_temporary();

	(void)state;
	assert_int_equal(smtpd__file_write(fd, "one ", 4), 0);
	assert_int_equal(smtpd__file_write(fd, "", 0), 0);
	assert_int_equal(smtpd__file_write_at(fd, "three", 5, 6), 0);
	assert_int_equal(smtpd__file_write_at(fd, "2 ", 2, 4), 0);
	assert_int_equal(smtpd__file_read_at(fd, got, 11, 0), 0);
	assert_string_equal(got, "one 2 three");
	close(fd);
}

static void
end_of_file_is_a_bad_message(void **state)
{
	char got[8];
	int fd = open_temporary();

	(void)state;
	assert_int_equal(smtpd__file_write(fd, "four", 4), 0);
	errno = 0;
	assert_int_equal(smtpd__file_read_at(fd, got, 5, 0), -1);
	assert_int_equal(errno, EBADMSG);
	close(fd);
}

static void
parts_follow_each_other(void **state)
{
	static char big[300000], ab[] = "ab", cd[] = "cd";
	char got[4];
	struct iovec parts[] = { { NULL, 0 }, { ab, 2 }, { NULL, 0 },
		{ big, sizeof(big) }, { cd, 2 }, { NULL, 0 } };
	int fd = open_temporary();

	(void)state;
	memset(big, 'x', sizeof(big));
	assert_int_equal(smtpd__file_write_parts(fd, parts, 6), 0);
	assert_int_equal(lseek(fd, 0, SEEK_END), (off_t)sizeof(big) + 4);
	assert_int_equal(smtpd__file_read_at(fd, got, 3, 0), 0);
	assert_memory_equal(got, "abx", 3);
	assert_int_equal(smtpd__file_read_at(fd, got, 3, sizeof(big) + 1), 0);
	assert_memory_equal(got, "xcd", 3);
	close(fd);
}

/* A pipe that is read slowly takes a part at a time. */
static void
short_writes_are_continued(void **state)
{
	static char big[200000], got[200000];
	int fds[2];
	pid_t child;

	(void)state;
	for (size_t i = 0; i < sizeof(big); i++)
		big[i] = (char)(i * 7 + i / 251);
	assert_int_equal(pipe(fds), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0)
		_exit(smtpd__file_write(fds[1], big, sizeof(big)) == 0 ? 0 : 1);
	for (size_t done = 0; done < sizeof(got);) {
		ssize_t n = read(fds[0], got + done, 1000);

		assert_true(n > 0);
		done += (size_t)n;
	}
	assert_memory_equal(got, big, sizeof(big));
	close(fds[0]);
	close(fds[1]);
}

static void
failures_are_told(void **state)
{
	char got[1] = { 0 };
	struct iovec part = { got, 1 };

	(void)state;
	assert_int_equal(smtpd__file_write(-1, "x", 1), -1);
	assert_int_equal(errno, EBADF);
	assert_int_equal(smtpd__file_write_parts(-1, &part, 1), -1);
	assert_int_equal(smtpd__file_write_at(-1, "x", 1, 0), -1);
	assert_int_equal(smtpd__file_read_at(-1, got, 1, 0), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_is_written_and_read),
		cmocka_unit_test(end_of_file_is_a_bad_message),
		cmocka_unit_test(parts_follow_each_other),
		cmocka_unit_test(short_writes_are_continued),
		cmocka_unit_test(failures_are_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
