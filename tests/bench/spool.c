/* SPDX-License-Identifier: MIT */
/*
 * The spool of the queue, by itself:
 *
 *	spool_bench DIR COUNT [SIZE [THREADS]]
 *
 * adds COUNT messages of SIZE octets (1024) by THREADS (16) to the spool in
 * DIR, closes it, opens it again, and prints what that took.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "journal/disk/engine.h"
#include "os/clock.h"
#include "queue/spool/spool.h"

struct job {
	struct smtpd_spool *spool;
	uint64_t count;
	size_t size;
	pthread_t thread;
};

/* Destinations cost nothing here. */
static struct smtpd_destination *
get_destination(
    void *user, const char *domain, const struct smtpd_spool_addressees *mail)
{
	(void)domain;
	(void)mail;
	return user;
}

static struct smtpd_spool *
open_spool(const char *directory)
{
	static char any;
	const struct smtpd_spool_settings settings = {
		.destination = get_destination,
		.user = &any,
	};
	char error[256];
	struct smtpd_spool *s = smtpd__spool_open(
	    &smtpd__disk_engine, directory, &settings, error, sizeof(error));

	if (s == NULL) {
		fprintf(stderr, "%s\n", error);
		exit(1);
	}
	return s;
}

static bool
add(const struct job *j, const char *content)
{
	static const struct smtpd_outgoing_rcpt rcpt = {
		.address = "recipient@example.com"
	};
	struct smtpd_spool_mail mail = {
		.envelope = {
			SMTPD_OUTGOING_ENVELOPE_INIT,
			.sender = "sender@example.org",
			.rcpts = &rcpt,
			.nrcpts = 1,
		},
		.content = smtpd__spool_content_create(j->spool),
	};
	struct smtpd_queued_message *e;

	if (mail.content == NULL ||
	    smtpd__spool_content_write(mail.content, content, j->size) == -1 ||
	    smtpd__spool_add(j->spool, &mail, &e) == -1)
		return false;
	smtpd__spool_unpin(j->spool, e);
	return true;
}

static void *
fill(void *arg)
{
	const struct job *j = arg;
	char *content = calloc(1, j->size + 1);

	for (uint64_t i = 0; i < j->count; i++) {
		if (content == NULL || !add(j, content)) {
			perror("add");
			exit(1);
		}
	}
	free(content);
	return NULL;
}

/* Resident octets. */
static uint64_t
resident(void)
{
	unsigned long total = 0, pages = 0;
	FILE *f = fopen("/proc/self/statm", "r");

	if (f == NULL || fscanf(f, "%lu %lu", &total, &pages) != 2)
		pages = 0;
	if (f != NULL)
		fclose(f);
	return (uint64_t)pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

static void
fill_all(const char *directory, uint64_t count, size_t size, size_t threads)
{
	struct smtpd_spool *s = open_spool(directory);
	struct job *jobs = calloc(threads, sizeof(*jobs));
	uint64_t start = smtpd__clock_ms();
	struct smtpd_journal_stats stats;

	for (size_t i = 0; jobs != NULL && i < threads; i++) {
		jobs[i] = (struct job){
			.spool = s, .count = count / threads, .size = size
		};
		if (pthread_create(&jobs[i].thread, NULL, fill, &jobs[i]) != 0)
			exit(1);
	}
	for (size_t i = 0; jobs != NULL && i < threads; i++)
		pthread_join(jobs[i].thread, NULL);
	start = smtpd__clock_ms() - start;
	smtpd__journal_stats(smtpd__spool_journal(s), &stats);
	printf("add: %.1f s, %.0f messages/s, %.3f syncs a message\n",
	    (double)start / 1000,
	    (double)count * 1000 / (double)(start > 0 ? start : 1),
	    (double)stats.syncs / (double)count);
	free(jobs);
	smtpd__spool_close(s);
}

int
main(int argc, char **argv)
{
	uint64_t count, before, start, n;
	struct smtpd_spool *s;

	if (argc < 3) {
		fprintf(
		    stderr, "usage: spool_bench DIR COUNT [SIZE [THREADS]]\n");
		return 64;
	}
	count = strtoull(argv[2], NULL, 10);
	if (count > 0)
		fill_all(argv[1], count,
		    argc > 3 ? strtoul(argv[3], NULL, 10) : 1024,
		    argc > 4 ? strtoul(argv[4], NULL, 10) : 16);
	before = resident();
	start = smtpd__clock_ms();
	s = open_spool(argv[1]);
	start = smtpd__clock_ms() - start;
	n = smtpd__spool_count(s);
	printf("open: %.3f s, %llu messages, %.1f octets each\n",
	    (double)start / 1000, (unsigned long long)n,
	    n > 0 ? (double)(resident() - before) / (double)n : 0.0);
	smtpd__spool_close(s);
	return 0;
}
