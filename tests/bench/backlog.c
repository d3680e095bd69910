/* SPDX-License-Identifier: MIT */

/*
 * backlog DIRECTORY COUNT [SIZE [DOMAINS]]: fill a queue that delivers nothing
 * with COUNT messages of SIZE bytes, by 64 threads, to so many DOMAINS, or to
 * one for each thousand.  Then close it, open it again, and tell how long each
 * took, and how much memory each message takes.
 */

#include <sys/resource.h>

#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <smtpd.h>

#define THREADS 64

struct filling {
	struct smtpd_queue *queue;
	unsigned long count;
	unsigned long domains;
	const char *content;
	size_t size;
	atomic_ulong next;
	atomic_bool failed;
};

static double
seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static double
cpu_seconds(void)
{
	struct rusage use;

	getrusage(RUSAGE_SELF, &use);
	return (double)(use.ru_utime.tv_sec + use.ru_stime.tv_sec) +
	    (double)(use.ru_utime.tv_usec + use.ru_stime.tv_usec) / 1e6;
}

/* What is on the heap, as far as it is in use. */
static size_t
heap(void)
{
	struct mallinfo2 info = mallinfo2();

	return info.uordblks + info.hblkhd;
}

static int
add(struct filling *f, unsigned long n)
{
	char address[64];
	struct smtpd_outgoing_rcpt rcpt = { SMTPD_OUTGOING_RCPT_INIT,
		.address = address };
	struct smtpd_outgoing_envelope envelope = {
		SMTPD_OUTGOING_ENVELOPE_INIT,
		.sender = "sender@example.org",
		.rcpts = &rcpt,
		.nrcpts = 1,
	};
	struct smtpd_queue_message *d;

	snprintf(
	    address, sizeof(address), "user@domain%lu.example", n % f->domains);
	d = smtpd_queue_begin(f->queue, &envelope, NULL);
	if (d == NULL)
		return -1;
	if (smtpd_queue_write(d, f->content, f->size) == -1) {
		smtpd_queue_abort(d);
		return -1;
	}
	return smtpd_queue_commit(d, NULL);
}

static void *
fill(void *arg)
{
	struct filling *f = arg;
	unsigned long n;

	while (!f->failed && (n = atomic_fetch_add(&f->next, 1)) < f->count) {
		if (add(f, n) == 0)
			continue;
		perror("backlog: add");
		f->failed = true;
	}
	return NULL;
}

static struct smtpd_queue *
open_queue(const char *directory)
{
	char error[512];
	struct smtpd_queue *q =
	    smtpd_queue_open(directory, NULL, error, sizeof(error));

	if (q == NULL)
		fprintf(stderr, "backlog: %s\n", error);
	return q;
}

static int
fill_all(struct filling *f, const char *directory)
{
	pthread_t threads[THREADS];
	struct smtpd_queue_counters c = { SMTPD_QUEUE_COUNTERS_INIT };
	double begun = seconds();
	double cpu = cpu_seconds();

	f->queue = open_queue(directory);
	if (f->queue == NULL)
		return -1;
	for (size_t i = 0; i < THREADS; i++)
		if (pthread_create(&threads[i], NULL, fill, f) != 0)
			exit(1);
	for (size_t i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	smtpd_queue_count(f->queue, &c);
	printf("added %lu in %.1f s: %.0f a second, %.1f us of CPU and %.3f "
	       "syncs each\n",
	    f->count, seconds() - begun, (double)f->count / (seconds() - begun),
	    (cpu_seconds() - cpu) * 1e6 / (double)f->count,
	    (double)c.syncs / (double)f->count);
	begun = seconds();
	smtpd_queue_close(f->queue);
	printf("closed in %.2f s\n", seconds() - begun);
	return f->failed ? -1 : 0;
}

static int
open_again(const char *directory)
{
	struct smtpd_queue_counters c = { SMTPD_QUEUE_COUNTERS_INIT };
	size_t before;
	double begun;
	struct smtpd_queue *q;

	malloc_trim(0);
	before = heap();
	begun = seconds();
	q = open_queue(directory);
	if (q == NULL)
		return -1;
	smtpd_queue_count(q, &c);
	printf("opened %llu in %.2f s, %.0f bytes of memory each\n",
	    (unsigned long long)c.messages, seconds() - begun,
	    (double)(heap() - before) / (double)c.messages);
	smtpd_queue_close(q);
	return 0;
}

int
main(int argc, char **argv)
{
	struct filling f = { .size = 1024 };
	char *content;

	if (argc < 3) {
		fprintf(stderr,
		    "usage: backlog DIRECTORY COUNT [SIZE "
		    "[DOMAINS]]\n");
		return 2;
	}
	f.count = strtoul(argv[2], NULL, 10);
	if (argc > 3)
		f.size = strtoul(argv[3], NULL, 10);
	f.domains = argc > 4 ? strtoul(argv[4], NULL, 10) : f.count / 1000 + 1;
	content = malloc(f.size + 1);
	if (content == NULL || f.count == 0 || f.size < 16 || f.domains == 0)
		return 2;
	memset(content, 'x', f.size);
	for (size_t i = 78; i + 2 < f.size; i += 80)
		memcpy(content + i, "\r\n", 2);
	memcpy(content, "Subject: x\r\n\r\n", 14);
	memcpy(content + f.size - 2, "\r\n", 2);
	f.content = content;
	if (fill_all(&f, argv[1]) != 0 || open_again(argv[1]) != 0)
		return 1;
	free(content);
	return 0;
}
