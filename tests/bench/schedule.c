/* SPDX-License-Identifier: MIT */

/* What a schedule costs: a million jobs are made, tried in vain, and tried
 * again, once for one domain and once for a hundred thousand. */

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "queue/schedule/schedule.h"

#define BATCH 64

static const struct smtpd_schedule_settings settings = {
	.workers = 4 * BATCH,
	.site_connections = BATCH,
	.retry = {
		.min = 300,
		.max = 7200,
		.lifetime = 432000,
		.bounce_lifetime = 172800,
		.delay_notice = 14400,
	},
	.seed = 1,
};

/* What takes how long. */
enum step {
	FIND,
	INSERT,
	TAKE,
	REPORT,
	RETURN,
	RETAKE,
	FINISH,
	STEPS
};

static const char *const step_names[STEPS] = { "destination", "insert", "take",
	"report", "insert for later", "take when due", "retire and release" };

struct bench {
	struct smtpd_schedule *schedule;
	struct smtpd_queued_message **entries;
	size_t count;
	uint32_t now;
	uint64_t started;
	uint64_t spent[STEPS];
};

static uint64_t
clock_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static void
begin(struct bench *b)
{
	b->started = clock_ns();
}

static void
end(struct bench *b, enum step step)
{
	b->spent[step] += clock_ns() - b->started;
}

static long
resident_bytes(void)
{
	FILE *f = fopen("/proc/self/statm", "r");
	long size, resident = 0;

	if (f == NULL)
		return 0;
	if (fscanf(f, "%ld %ld", &size, &resident) != 2)
		resident = 0;
	fclose(f);
	return resident * sysconf(_SC_PAGESIZE);
}

static void *
need(void *memory)
{
	if (memory == NULL) {
		perror("schedule");
		exit(1);
	}
	return memory;
}

static void
make_entries(struct bench *b)
{
	size_t size = sizeof(struct smtpd_queued_message) +
	    sizeof(struct smtpd_delivery_job);

	b->entries =
	    need(calloc(b->count, sizeof(struct smtpd_queued_message *)));
	for (size_t i = 0; i < b->count; i++) {
		b->entries[i] = need(calloc(1, size));
		b->entries[i]->njobs = 1;
		b->entries[i]->jobs[0].message = b->entries[i];
	}
}

static void
insert_all(struct bench *b, size_t domains)
{
	char name[64];

	begin(b);
	for (size_t i = 0; i < b->count; i++) {
		snprintf(name, sizeof(name), "d%zu.example.com", i % domains);
		b->entries[i]->jobs[0].destination =
		    need(smtpd__destination_ref(b->schedule, name));
	}
	end(b, FIND);
	begin(b);
	for (size_t i = 0; i < b->count; i++)
		if (smtpd__schedule_insert(
			b->schedule, &b->entries[i]->jobs[0], b->now) == -1)
			need(NULL);
	end(b, INSERT);
}

static void
give_back(struct bench *b, struct smtpd_delivery_job *job, bool finish)
{
	struct smtpd_retry_facts facts = { .tried = true };
	struct smtpd_retry r;

	if (finish) {
		smtpd__schedule_retire(b->schedule, job);
		smtpd__destination_unref(b->schedule, job->destination);
		return;
	}
	r = smtpd__schedule_retry(b->schedule, job, &facts, b->now);
	job->attempts = r.attempts;
	job->due = r.due;
	smtpd__schedule_insert(b->schedule, job, b->now);
}

/* Try as many at a time as may be.  Return how many there were. */
static size_t
try_some(struct bench *b, enum step take, enum step back)
{
	struct smtpd_delivery_job *jobs[BATCH];
	struct smtpd_site *sites[BATCH];
	size_t n = 0;

	begin(b);
	while (n < BATCH &&
	    (jobs[n] = smtpd__schedule_take(b->schedule, b->now, &sites[n])) !=
		NULL)
		n++;
	end(b, take);
	begin(b);
	for (size_t i = 0; i < n; i++)
		smtpd__site_feedback_report(
		    b->schedule, sites[i], SMTPD_SITE_FINE, NULL, b->now);
	end(b, REPORT);
	begin(b);
	for (size_t i = 0; i < n; i++) {
		give_back(b, jobs[i], back == FINISH);
		smtpd__schedule_leave(b->schedule, sites[i], b->now);
	}
	end(b, back);
	return n;
}

static void
try_all(struct bench *b, enum step take, enum step back)
{
	for (size_t n = 0; n < b->count; n += try_some(b, take, back))
		b->now = smtpd__schedule_next_time(b->schedule, b->now);
}

static void
print(const struct bench *b, size_t domains, long bytes)
{
	printf("%zu jobs to %zu domains: %ld bytes a job besides %zu\n",
	    b->count, domains, bytes / (long)b->count,
	    sizeof(struct smtpd_queued_message) +
		sizeof(struct smtpd_delivery_job));
	for (int i = 0; i < STEPS; i++)
		printf("  %-20s %6" PRIu64 " ns\n", step_names[i],
		    b->spent[i] / b->count / (i == REPORT ? 2 : 1));
}

static void
run(size_t count, size_t domains)
{
	struct bench b = { .count = count };
	long bytes;

	make_entries(&b);
	bytes = resident_bytes();
	b.schedule = need(smtpd__schedule_create(&settings));
	insert_all(&b, domains);
	bytes = resident_bytes() - bytes;
	try_all(&b, TAKE, RETURN);
	try_all(&b, RETAKE, FINISH);
	print(&b, domains, bytes);
	smtpd__schedule_destroy(b.schedule);
	for (size_t i = 0; i < count; i++)
		free(b.entries[i]);
	free(b.entries);
}

int
main(void)
{
	run(1000000, 1);
	run(1000000, 100000);
	return 0;
}
