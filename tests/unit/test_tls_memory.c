/* SPDX-License-Identifier: MIT */
#include "test.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "queue/delivery/tls_memory.h"

#define TODAY 20000

static char directory[] = "/tmp/test_tls_memory.XXXXXX";
static const struct smtpd_logger quiet;
static int dir;

static void
write_hosts(const char *text)
{
	int fd = openat(dir, "tls-hosts", O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_int_not_equal(fd, -1);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static struct smtpd_tls_memory *
open_memory(uint32_t day)
{
	struct smtpd_tls_memory *m = smtpd__tls_memory_create(dir, day, &quiet);

	assert_non_null(m);
	return m;
}

static void
a_host_is_remembered_over_a_restart(void **state)
{
	struct smtpd_tls_memory *m;

	(void)state;
	write_hosts("");
	m = open_memory(TODAY);
	assert_false(smtpd__tls_memory_has(m, "mx.example", TODAY));
	smtpd__tls_memory_note(m, "mx.example", TODAY);
	smtpd__tls_memory_note(m, "mx.example", TODAY);
	assert_true(smtpd__tls_memory_has(m, "mx.example", TODAY));
	assert_false(smtpd__tls_memory_has(m, "x.example", TODAY));
	smtpd__tls_memory_destroy(m);
	m = open_memory(TODAY + 1);
	assert_true(smtpd__tls_memory_has(m, "mx.example", TODAY + 1));
	smtpd__tls_memory_destroy(m);
}

static void
it_is_forgotten_after_thirty_days(void **state)
{
	struct smtpd_tls_memory *m;

	(void)state;
	write_hosts("20000 mx.example\n");
	m = open_memory(TODAY);
	assert_true(smtpd__tls_memory_has(m, "mx.example", TODAY + 30));
	assert_false(smtpd__tls_memory_has(m, "mx.example", TODAY + 31));
	smtpd__tls_memory_note(m, "mx.example", TODAY + 20);
	assert_true(smtpd__tls_memory_has(m, "mx.example", TODAY + 50));
	smtpd__tls_memory_destroy(m);
	m = open_memory(TODAY + 51);
	assert_false(smtpd__tls_memory_has(m, "mx.example", TODAY + 51));
	smtpd__tls_memory_destroy(m);
}

static void
a_damaged_file_does_no_harm(void **state)
{
	static const char *const lines[] = { "garbage\n", "\n", " a.example\n",
		"-1 a.example\n", "99999999999999999999 a.example\n",
		"20001 a.example\n", "20000a.example\n", "20000 \n",
		"20000 a.example" };
	char text[2048];
	struct smtpd_tls_memory *m;

	(void)state;
	for (size_t i = 0; i < COUNT(lines); i++) {
		write_hosts(lines[i]);
		m = open_memory(TODAY);
		assert_false(smtpd__tls_memory_has(m, "a.example", TODAY));
		smtpd__tls_memory_destroy(m);
	}
	memset(text, 'x', sizeof(text));
	memcpy(text, "20000 ", 6);
	memcpy(text + sizeof(text) - 19, "\n20000 mx.example\n", 19);
	write_hosts(text);
	m = open_memory(TODAY);
	assert_true(smtpd__tls_memory_has(m, "mx.example", TODAY));
	smtpd__tls_memory_destroy(m);
}

/* Such a name would be another one, or two lines. */
static void
odd_names_are_not_written(void **state)
{
	struct smtpd_tls_memory *m;
	char name[1024];

	(void)state;
	write_hosts("");
	m = open_memory(TODAY);
	memset(name, 'x', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	smtpd__tls_memory_note(m, name, TODAY);
	smtpd__tls_memory_note(m, "", TODAY);
	smtpd__tls_memory_note(m, "a\n20000 b", TODAY);
	smtpd__tls_memory_destroy(m);
	m = open_memory(TODAY);
	assert_false(smtpd__tls_memory_has(m, "b", TODAY));
	assert_false(smtpd__tls_memory_has(m, name, TODAY));
	smtpd__tls_memory_destroy(m);
}

static void
the_file_and_the_memory_have_bounds(void **state)
{
	struct smtpd_tls_memory *m;
	struct stat st;
	char name[32];

	(void)state;
	write_hosts("");
	m = open_memory(TODAY);
	smtpd__tls_memory_note(m, "old.example", TODAY - 1);
	for (int i = 0; i < SMTPD_TLS_MEMORY_MAX; i++) {
		snprintf(name, sizeof(name), "%d.example", i);
		smtpd__tls_memory_note(m, name, TODAY);
	}
	assert_false(smtpd__tls_memory_has(m, "old.example", TODAY));
	assert_true(smtpd__tls_memory_has(m, "0.example", TODAY));
	for (uint32_t day = 1; day < 4; day++)
		for (int i = 0; i < SMTPD_TLS_MEMORY_MAX; i++) {
			snprintf(name, sizeof(name), "%d.example", i);
			smtpd__tls_memory_note(m, name, TODAY + day);
		}
	smtpd__tls_memory_destroy(m);
	assert_int_equal(fstatat(dir, "tls-hosts", &st, 0), 0);
	assert_true(st.st_size < 3 * SMTPD_TLS_MEMORY_MAX * 24);
	m = open_memory(TODAY + 4);
	assert_true(smtpd__tls_memory_has(m, "0.example", TODAY + 33));
	smtpd__tls_memory_destroy(m);
}

static void
a_directory_that_is_gone_costs_memory_only(void **state)
{
	struct smtpd_tls_memory *m;
	char gone[] = "/tmp/test_tls_memory.XXXXXX";
	int fd;

	(void)state;
	assert_non_null(mkdtemp(gone));
	fd = open(gone, O_RDONLY | O_DIRECTORY);
	assert_int_equal(rmdir(gone), 0);
	m = smtpd__tls_memory_create(fd, TODAY, &quiet);
	assert_non_null(m);
	smtpd__tls_memory_note(m, "mx.example", TODAY);
	assert_true(smtpd__tls_memory_has(m, "mx.example", TODAY));
	smtpd__tls_memory_destroy(m);
	close(fd);
}

static int
make_directory(void **state)
{
	(void)state;
	if (mkdtemp(directory) == NULL)
		return -1;
	dir = open(directory, O_RDONLY | O_DIRECTORY);
	return dir == -1 ? -1 : 0;
}

static int
remove_directory(void **state)
{
	(void)state;
	unlinkat(dir, "tls-hosts", 0);
	close(dir);
	return rmdir(directory);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_host_is_remembered_over_a_restart),
		cmocka_unit_test(it_is_forgotten_after_thirty_days),
		cmocka_unit_test(a_damaged_file_does_no_harm),
		cmocka_unit_test(odd_names_are_not_written),
		cmocka_unit_test(the_file_and_the_memory_have_bounds),
		cmocka_unit_test(a_directory_that_is_gone_costs_memory_only),
	};

	return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
