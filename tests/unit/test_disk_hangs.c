/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "os/disk_space.h"

#include <sys/statvfs.h>

#include <pthread.h>
#include <semaphore.h>
#include <string.h>
#include <time.h>

#include "test.h"

/* What fstatvfs() finds, and whether it hangs. */
static uint64_t found = 1000;
static bool hanging;
static sem_t called, released;

int
fstatvfs(int fd, struct statvfs *out)
{
	(void)fd;
	if (hanging) {
		sem_post(&called);
		sem_wait(&released);
	}
	memset(out, 0, sizeof(*out));
	out->f_frsize = 1;
	out->f_blocks = 1000000;
	out->f_bavail = found;
	return 0;
}

static void *
ask(void *space)
{
	smtpd__disk_space_has_room(space, 0);
	return NULL;
}

/* R16: while one thread waits for the file system, others go on with what was
 * found before. */
static void
test_hanging_disk(void **state)
{
	struct smtpd_disk_space s;
	pthread_t thread;

	(void)state;
	sem_init(&called, 0, 0);
	sem_init(&released, 0, 0);
	smtpd__disk_space_init(&s, 0, 100);
	assert_true(smtpd__disk_space_has_room(&s, 0));
	nanosleep(&(struct timespec){ 1, 100000000 }, NULL);
	hanging = true;
	assert_int_equal(pthread_create(&thread, NULL, ask, &s), 0);
	sem_wait(&called);
	assert_true(smtpd__disk_space_has_room(&s, 899));
	assert_false(smtpd__disk_space_has_room(&s, 900));
	/* Not looked at again, however long it takes. */
	nanosleep(&(struct timespec){ 1, 100000000 }, NULL);
	assert_true(smtpd__disk_space_has_room(&s, 899));
	hanging = false;
	found = 500;
	sem_post(&released);
	pthread_join(thread, NULL);
	assert_false(smtpd__disk_space_has_room(&s, 400));
	assert_true(smtpd__disk_space_has_room(&s, 399));
	smtpd__disk_space_finish(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hanging_disk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
