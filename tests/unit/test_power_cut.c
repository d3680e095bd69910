/* SPDX-License-Identifier: MIT */
/* A power cut, and a kill, at one moment of a queue whose disk has stopped to
 * sync: how much is sent once more, and that nothing is lost.  The image of the
 * power cut has of each segment what was there when its last sync began, that
 * of the kill what was written. */
#define _GNU_SOURCE
#include <sys/stat.h>
#include <sys/syscall.h>

#include <dirent.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "queue_fixture.h"

#include "test.h"

#define SEGMENT  1048576u
#define WORKERS  2
#define MESSAGES 8

/* A file as it was when its last sync began. */
struct synced {
	ino_t inode;
	uint8_t *bytes;
};

static struct {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool stuck; /* no sync ends any more */
	struct synced files[64];
	size_t count;
} disk = { .lock = PTHREAD_MUTEX_INITIALIZER,
	.changed = PTHREAD_COND_INITIALIZER };

static void
set_stuck(bool stuck)
{
	pthread_mutex_lock(&disk.lock);
	disk.stuck = stuck;
	pthread_cond_broadcast(&disk.changed);
	pthread_mutex_unlock(&disk.lock);
}

/* What is synced of INODE; the lock is held. */
static struct synced *
find_synced(ino_t inode)
{
	size_t i = 0;

	while (i < disk.count && disk.files[i].inode != inode)
		i++;
	if (i == disk.count) {
		assert_true(i < COUNT(disk.files));
		disk.files[disk.count++] = (struct synced){ .inode = inode };
	}
	return &disk.files[i];
}

/* In place of the C library's. */
int
fdatasync(int fd)
{
	struct stat st;
	uint8_t *bytes = NULL;
	struct synced *s;
	int status;

	if (fstat(fd, &st) == 0 && st.st_size == SEGMENT) {
		bytes = malloc(SEGMENT);
		assert_non_null(bytes);
		assert_int_equal(pread(fd, bytes, SEGMENT, 0), SEGMENT);
	}
	pthread_mutex_lock(&disk.lock);
	while (disk.stuck)
		pthread_cond_wait(&disk.changed, &disk.lock);
	pthread_mutex_unlock(&disk.lock);
	status = (int)syscall(SYS_fdatasync, fd);
	if (bytes == NULL)
		return status;
	pthread_mutex_lock(&disk.lock);
	s = find_synced(st.st_ino);
	free(s->bytes);
	s->bytes = bytes;
	pthread_mutex_unlock(&disk.lock);
	return status;
}

static int
teardown(void **state)
{
	int status;

	set_stuck(false);
	status = world_teardown(state);
	for (size_t i = 0; i < disk.count; i++)
		free(disk.files[i].bytes);
	disk.count = 0;
	return status;
}

/* Run COMMAND with A and B. */
static void
run(const char *command, const char *a, const char *b)
{
	char line[512];

	snprintf(line, sizeof(line), "%s %s %s", command, a, b);
	assert_int_equal(system(line), 0);
}

/* Let the segment NAME of IMAGE be what was synced of that of W. */
static void
take_back(struct world *w, const char *image, const char *name)
{
	char path[1024];
	struct stat st;
	const struct synced *s;
	FILE *f;

	snprintf(path, sizeof(path), "%s/log/%s", w->path, name);
	assert_int_equal(stat(path, &st), 0);
	snprintf(path, sizeof(path), "%s/log/%s", image, name);
	pthread_mutex_lock(&disk.lock);
	s = find_synced(st.st_ino);
	assert_non_null(s->bytes);
	f = fopen(path, "w");
	assert_non_null(f);
	assert_int_equal(fwrite(s->bytes, SEGMENT, 1, f), 1);
	fclose(f);
	pthread_mutex_unlock(&disk.lock);
}

/* Make the image of the queue of W after a kill, or a power CUT, beside it. */
static void
make_image(struct world *w, const char *name, bool cut)
{
	char image[256], path[512];
	struct dirent *e;
	DIR *dir;

	snprintf(image, sizeof(image), "%s/%s", w->parent, name);
	run("cp -a", w->path, image);
	snprintf(path, sizeof(path), "%s/log", image);
	dir = opendir(path);
	assert_non_null(dir);
	while (cut && (e = readdir(dir)) != NULL)
		if (strstr(e->d_name, ".log") != NULL)
			take_back(w, image, e->d_name);
	closedir(dir);
}

/* Open the image NAME in place of the queue of W, which is closed. */
static void
use_image(struct world *w, const char *name)
{
	char image[256];

	snprintf(image, sizeof(image), "%s/%s", w->parent, name);
	run("rm -rf", w->path, "");
	run("mv", image, w->path);
	world_open(w);
}

/* Have W send until the disk has it stop, and make both images.  Return how
 * many messages were sent. */
static size_t
send_and_cut(struct world *w)
{
	char rcpt[32];
	size_t sent;

	w->settings.workers = WORKERS;
	w->settings.segment_size = SEGMENT;
	world_open(w);
	for (int i = 0; i < MESSAGES; i++) {
		snprintf(rcpt, sizeof(rcpt), "slow%d@a1.test", i);
		world_send(w, "s@a2.test", rcpt);
	}
	set_stuck(true);
	world_start(w);
	mail_host_await(&w->hosts[0], &w->hosts[0].dots, 1);
	world_sleep(1500);
	sent = mail_host_figure(&w->hosts[0], &w->hosts[0].dots);
	make_image(w, "killed", false);
	make_image(w, "cut", true);
	set_stuck(false);
	world_close(w, 0);
	return sent;
}

/* How many messages are sent once more, of SENT, by the queue that is open. */
static size_t
count_again(struct world *w, size_t sent)
{
	size_t there = (size_t)world_counters(w).messages;

	assert_true(there >= MESSAGES - sent);
	return there - (MESSAGES - sent);
}

/* A power cut has that sent once more which was sent in the last 100 ms, and
 * one message of each connection: a host here takes a third of a second, so
 * that are two of each.  Then no more is sent. */
static void
test_power_cut(void **state)
{
	struct world *w = *state;
	size_t sent = send_and_cut(w);

	assert_in_range(sent, 1, 2 * WORKERS);
	use_image(w, "cut");
	assert_int_equal(count_again(w, sent), sent);
	world_start(w);
	world_await(w, 0);
}

/* A kill has at most one message of each connection sent once more. */
static void
test_kill(void **state)
{
	struct world *w = *state;
	size_t sent = send_and_cut(w);

	use_image(w, "killed");
	assert_true(count_again(w, sent) <= WORKERS);
	assert_true(world_counters(w).messages < MESSAGES);
	world_start(w);
	world_await(w, 0);
}

/* What a report takes the place of is durable before the report goes out. */
static void
test_report_waits(void **state)
{
	struct world *w = *state;

	w->settings.segment_size = SEGMENT;
	world_open(w);
	world_send(w, "s@a2.test", "no@a1.test");
	set_stuck(true);
	world_start(w);
	mail_host_await(&w->hosts[0], &w->hosts[0].offers, 1);
	mail_host_expect(&w->hosts[1], 0, 500);
	make_image(w, "cut", true);
	set_stuck(false);
	mail_host_expect(&w->hosts[1], 1, 0);
	world_close(w, 1000);
	use_image(w, "cut");
	assert_int_equal(world_counters(w).messages, 1);
	world_start(w);
	mail_host_expect(&w->hosts[1], 2, 0);
	world_await(w, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, world_setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_power_cut),
		TEST(test_kill),
		TEST(test_report_waits),
	};

	return cmocka_run_group_tests_name("power_cut", tests, NULL, NULL);
}
