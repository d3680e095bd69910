/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>

#include "os/clock.h"
#include "os/disk_space.h"

#include "test.h"

#define MIB (UINT64_C(1) << 20)
#define GIB (UINT64_C(1) << 30)

static struct statvfs disk;
static int looks;
static int broken;
static uint64_t now_ms;

/* In place of the C library's. */
int
fstatvfs(int fd, struct statvfs *out)
{
	assert_int_equal(fd, 7);
	looks++;
	if (broken != 0) {
		errno = broken;
		return -1;
	}
	*out = disk;
	return 0;
}

/* In place of ours, by --wrap. */
uint64_t __wrap_smtpd__clock_ms(void);

uint64_t
__wrap_smtpd__clock_ms(void)
{
	return now_ms;
}

static int
setup(void **state)
{
	(void)state;
	memset(&disk, 0, sizeof(disk));
	looks = 0;
	broken = 0;
	now_ms = 1;
	return 0;
}

static void
test_thresholds(void **state)
{
	static const struct {
		uint64_t min_free;
		uint64_t size;      /* of the disk */
		uint64_t available; /* of it */
		uint64_t inodes;
		uint64_t inodes_left;
		uint64_t room; /* for a message of less than so much */
	} cases[] = {
		/* A twentieth of 100 GiB is 5. */
		{ 0, 100 * GIB, 6 * GIB, 0, 0, GIB },
		{ 0, 100 * GIB, 5 * GIB, 0, 0, 0 },
		{ 0, 100 * GIB, 4 * GIB, 0, 0, 0 },
		/* Of less than 1280 MiB it is 64 MiB. */
		{ 0, 1000 * MIB, 65 * MIB, 0, 0, MIB },
		{ 0, 1000 * MIB, 64 * MIB, 0, 0, 0 },
		/* S7: Of less than 640 MiB it is a tenth. */
		{ 0, 100 * MIB, 11 * MIB, 0, 0, MIB },
		{ 0, 100 * MIB, 10 * MIB, 0, 0, 0 },
		/* As it is said. */
		{ 1, 100 * GIB, 4096, 0, 0, 4095 },
		{ 10 * GIB, 100 * GIB, 11 * GIB, 0, 0, GIB },
		{ 10 * GIB, 100 * GIB, 9 * GIB, 0, 0, 0 },
		/* Inodes: a twentieth is too few. */
		{ 1, GIB, 4096, 1000, 51, 4095 },
		{ 1, GIB, 4096, 1000, 50, 0 },
		{ 1, GIB, 4096, 1000, 0, 0 },
		/* Large: more than 32 bits of blocks. */
		{ 0, UINT64_C(1) << 60, UINT64_C(1) << 59, 0, 0,
		    (UINT64_C(1) << 59) - ((UINT64_C(1) << 60) / 20) },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct smtpd_disk_space s;

		disk = (struct statvfs){
			.f_bsize = 65536,
			.f_frsize = 1,
			.f_blocks = cases[i].size,
			.f_bfree = cases[i].size, /* not for everybody */
			.f_bavail = cases[i].available,
			.f_files = cases[i].inodes,
			.f_ffree = cases[i].inodes,
			.f_favail = cases[i].inodes_left,
		};
		smtpd__disk_space_init(&s, 7, cases[i].min_free);
		assert_int_equal(
		    smtpd__disk_space_has_room(&s, 0), cases[i].room > 0);
		if (cases[i].room > 0)
			assert_true(
			    smtpd__disk_space_has_room(&s, cases[i].room - 1));
		assert_false(smtpd__disk_space_has_room(&s, cases[i].room));
		assert_false(smtpd__disk_space_has_room(&s, UINT64_MAX));
		smtpd__disk_space_finish(&s);
	}
}

/* Blocks are counted in fragments. */
static void
test_fragments(void **state)
{
	struct smtpd_disk_space s;

	(void)state;
	disk.f_bsize = 1;
	disk.f_frsize = 4096;
	disk.f_blocks = 1000;
	disk.f_bavail = 2;
	smtpd__disk_space_init(&s, 7, 1);
	assert_true(smtpd__disk_space_has_room(&s, 8190));
	assert_false(smtpd__disk_space_has_room(&s, 8191));
	smtpd__disk_space_finish(&s);
}

static void
test_once_a_second(void **state)
{
	struct smtpd_disk_space s;

	(void)state;
	disk.f_frsize = 1;
	disk.f_blocks = disk.f_bavail = 100;
	smtpd__disk_space_init(&s, 7, 1);
	assert_true(smtpd__disk_space_has_room(&s, 50));
	disk.f_bavail = 10;
	now_ms += 999;
	assert_true(smtpd__disk_space_has_room(&s, 50));
	assert_int_equal(looks, 1);
	now_ms += 1;
	assert_false(smtpd__disk_space_has_room(&s, 50));
	assert_int_equal(looks, 2);
	disk.f_bavail = 100;
	now_ms += 1000;
	assert_true(smtpd__disk_space_has_room(&s, 50));
	smtpd__disk_space_finish(&s);
}

static void
test_disk_that_cannot_be_looked_at(void **state)
{
	struct smtpd_disk_space s;

	(void)state;
	disk.f_frsize = 1;
	disk.f_blocks = disk.f_bavail = 100;
	broken = EIO;
	smtpd__disk_space_init(&s, 7, 1);
	assert_false(smtpd__disk_space_has_room(&s, 0));
	broken = 0;
	now_ms += 1000;
	assert_true(smtpd__disk_space_has_room(&s, 0));
	smtpd__disk_space_finish(&s);
}

static char told[512]; /* the last line */

static void
keep_line(enum smtpd_log_level level, const char *text, void *user)
{
	(void)user;
	snprintf(told, sizeof(told), "%d %s", (int)level, text);
}

/* S7: the log says how much is free, and how much must be. */
static void
test_lines(void **state)
{
	static const struct {
		int error;
		uint64_t available, inodes_left;
		const char *line;
	} looks_in_turn[] = {
		{ 0, 90 * MIB, 100, "" },
		{ 0, 12 * MIB, 100,
		    "2 12 MiB free on /q, 64 MiB must stay free: mail is "
		    "refused with 452 until then" },
		{ 0, 11 * MIB, 100, "" },
		{ 0, 80 * MIB, 100,
		    "3 80 MiB free on /q, 64 MiB must stay free: mail is "
		    "accepted again" },
		{ 0, 80 * MIB, 5,
		    "2 5 inodes free on /q, 10 inodes must stay free: mail is "
		    "refused with 452 until then" },
		{ EIO, 0, 0, "" },
		{ 0, 80 * MIB, 100,
		    "3 80 MiB free on /q, 64 MiB must stay free: mail is "
		    "accepted again" },
		{ EIO, 0, 0,
		    "2 cannot see how much is free on /q: Input/output error: "
		    "mail is refused with 452 until then" },
	};
	struct smtpd_disk_space s;

	(void)state;
	smtpd__disk_space_init(&s, 7, 64 * MIB);
	s.logger = (struct smtpd_logger){ keep_line, NULL, SMTPD_LOG_INFO };
	s.name = "/q";
	for (size_t i = 0; i < COUNT(looks_in_turn); i++) {
		disk = (struct statvfs){ .f_frsize = 1,
			.f_blocks = GIB,
			.f_bavail = looks_in_turn[i].available,
			.f_files = 200,
			.f_favail = looks_in_turn[i].inodes_left };
		broken = looks_in_turn[i].error;
		told[0] = '\0';
		now_ms += 1000;
		smtpd__disk_space_has_room(&s, 0);
		assert_string_equal(told, looks_in_turn[i].line);
	}
	smtpd__disk_space_finish(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_thresholds, setup),
		cmocka_unit_test_setup(test_fragments, setup),
		cmocka_unit_test_setup(test_once_a_second, setup),
		cmocka_unit_test_setup(test_lines, setup),
		cmocka_unit_test_setup(
		    test_disk_that_cannot_be_looked_at, setup),
	};

	return cmocka_run_group_tests_name("space", tests, NULL, NULL);
}
