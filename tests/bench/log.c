/* SPDX-License-Identifier: MIT */
/*
 * What the log can do on the disk that DIR is on:
 *   log_bench DIR append THREADS SIZE SECONDS   durable records a second
 *   log_bench DIR fill RECORDS SIZE             start-up without index, with it
 */
#include <sys/resource.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "journal/disk/append.h"
#include "journal/disk/open.h"
#include "journal/disk/prepare.h"
#include "journal/disk/recycle.h"

#define HEAD    80  /* bytes, about what an envelope takes */
#define THREADS 256 /* at most */
#define GROUP   64  /* records at a time */

struct appender {
	struct smtpd_disk *log;
	size_t size;
	atomic_bool *stop;
	int error;
};

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double
cpu(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
	    (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static int
die(const char *what)
{
	fprintf(stderr, "log_bench: %s\n", what);
	return 1;
}

static int
count(void *user, struct smtpd_disk *log,
    const struct smtpd_journal_record *record)
{
	unsigned long *n = user;

	(void)log, (void)record;
	++*n;
	return 1;
}

static struct smtpd_disk *
open_log(const char *path, unsigned long *n)
{
	struct smtpd_disk_settings settings = { .replay = count, .user = n };
	int dir = open(path, O_RDONLY | O_DIRECTORY);
	struct smtpd_disk *log = NULL;
	char error[256] = "cannot open the directory";

	*n = 0;
	if (dir != -1)
		log = smtpd__disk_open(dir, &settings, error, sizeof(error));
	if (log == NULL)
		die(error);
	close(dir);
	return log;
}

/* Append N records of SIZE bytes at once. */
static int
append(struct smtpd_disk *log, size_t size, unsigned n)
{
	static const char bytes[65536];
	struct iovec body = { (void *)(uintptr_t)bytes, size };
	struct smtpd_journal_record entries[GROUP];

	for (unsigned i = 0; i < n; i++)
		entries[i] = (struct smtpd_journal_record){
			.live = true,
			.head = bytes,
			.head_len = HEAD,
			.body = &body,
			.body_count = 1,
		};
	if (smtpd__disk_append(log, entries, n, 0) == -1)
		return -1;
	/* All is dead at once, so that the disk need not be large. */
	for (unsigned i = 0; i < n && n == 1; i++)
		smtpd__disk_release(log, entries[i].ref, entries[i].size);
	return 0;
}

static void *
append_on(void *user)
{
	struct appender *a = user;

	while (!*a->stop && a->error == 0) {
		if (append(a->log, a->size, 1) == -1)
			a->error = errno;
	}
	return NULL;
}

static void
keep_house(struct smtpd_disk *log, double seconds)
{
	double end = now() + seconds;

	while (now() < end) {
		const struct timespec nap = { 0, 20000000 };

		smtpd__disk_recycle(log);
		if (smtpd__disk_prepare(log) != 1)
			nanosleep(&nap, NULL);
	}
}

static int
run_append(const char *path, unsigned threads, size_t size, double seconds)
{
	pthread_t ids[THREADS];
	struct appender a[THREADS];
	struct smtpd_journal_stats stats;
	atomic_bool stop = false;
	unsigned long n;
	struct smtpd_disk *log = open_log(path, &n);
	double from = now(), busy = cpu();

	if (log == NULL)
		return 1;
	for (unsigned i = 0; i < threads; i++) {
		a[i] = (struct appender){ log, size, &stop, 0 };
		if (pthread_create(&ids[i], NULL, append_on, &a[i]) != 0)
			return die("cannot make threads");
	}
	keep_house(log, seconds);
	stop = true;
	for (unsigned i = 0; i < threads; i++)
		pthread_join(ids[i], NULL);
	from = now() - from;
	busy = cpu() - busy;
	smtpd__disk_stats(log, &stats);
	printf("threads=%u size=%zu records/s=%.0f syncs/record=%.3f "
	       "cpu_us/record=%.1f MB/s=%.1f\n",
	    threads, size, (double)stats.records / from,
	    (double)stats.syncs / (double)stats.records,
	    busy * 1e6 / (double)stats.records,
	    (double)stats.bytes / from / 1e6);
	smtpd__disk_close(log);
	return 0;
}

static int
start_up(const char *path, const char *what)
{
	double from = now(), busy = cpu();
	unsigned long n;
	struct smtpd_disk *log = open_log(path, &n);

	if (log == NULL)
		return 1;
	printf("start %s: records=%lu seconds=%.3f cpu=%.3f\n", what, n,
	    now() - from, cpu() - busy);
	smtpd__disk_close(log);
	return 0;
}

static int
run_fill(const char *path, unsigned long records, size_t size)
{
	unsigned long n;
	struct smtpd_disk *log = open_log(path, &n);
	double from = now();

	if (log == NULL)
		return 1;
	for (unsigned long i = 0; i < records; i += GROUP) {
		if (append(log, size, GROUP) == -1)
			return die(strerror(errno));
	}
	printf("fill: records=%lu seconds=%.1f\n", records, now() - from);
	smtpd__disk_close(log);
	return start_up(path, "without index") != 0 ||
	    start_up(path, "with index") != 0;
}

int
main(int argc, char **argv)
{
	unsigned long a = argc > 3 ? strtoul(argv[3], NULL, 10) : 0;
	unsigned long b = argc > 4 ? strtoul(argv[4], NULL, 10) : 0;

	if (argc == 6 && strcmp(argv[2], "append") == 0 && a > 0 &&
	    a <= THREADS && b <= 65536)
		return run_append(
		    argv[1], (unsigned)a, b, strtod(argv[5], NULL));
	if (argc == 5 && strcmp(argv[2], "fill") == 0 && b <= 60000)
		return run_fill(argv[1], a, b);
	return die("DIR append THREADS SIZE SECONDS | DIR fill RECORDS SIZE");
}
