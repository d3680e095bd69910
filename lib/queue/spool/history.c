/* SPDX-License-Identifier: MIT */
#include "queue/spool/history.h"

#include <errno.h>
#include <stdlib.h>

#include "queue/spool/read.h"

/* How many histories of a job are read: more than a message of five days has. */
#define HISTORIES_MAX 4096

static bool
same_place(struct smtpd_disk_place a, struct smtpd_disk_place b)
{
	return a.segment == b.segment && a.offset == b.offset;
}

/* Whether A stands before B. */
static bool
is_before(struct smtpd_disk_place a, struct smtpd_disk_place b)
{
	return a.segment < b.segment ||
	    (a.segment == b.segment && a.offset < b.offset);
}

/* Find the places of the histories that end at PLACE, the last one first.  What
 * is missing or damaged ends the list.  -1 without memory. */
static int
list_histories(struct smtpd_spool *s, uint64_t id, uint32_t job,
    struct smtpd_disk_place place, struct smtpd_disk_place **list,
    size_t *count)
{
	struct smtpd_disk_place *places = NULL;
	size_t n = 0;

	while (place.segment != 0 && n < HISTORIES_MAX) {
		struct smtpd_record_progress p;
		struct smtpd_unpack results, history;
		void *memory = smtpd__spool_read_progress(
		    s, id, job, place, &p, &results, &history);
		struct smtpd_disk_place *grown;

		if (memory == NULL)
			break;
		free(memory);
		grown = realloc(places, (n + 1) * sizeof(*places));
		if (grown == NULL) {
			free(places);
			return -1;
		}
		places = grown;
		places[n++] = place;
		if (!is_before(p.previous, place))
			break;
		place = p.previous;
	}
	*list = places;
	*count = n;
	return 0;
}

static int
write_history(struct smtpd_spool *s, uint64_t id, uint32_t job,
    struct smtpd_disk_place place, smtpd_write_fn *write, void *user)
{
	struct smtpd_record_progress p;
	struct smtpd_unpack results, history;
	void *memory = smtpd__spool_read_progress(
	    s, id, job, place, &p, &results, &history);
	int status = 0;

	if (memory == NULL)
		return 0;
	if (history.left > 0)
		status = write(user, history.at, history.left);
	free(memory);
	return status;
}

int
smtpd__spool_history_read(struct smtpd_spool *s, uint64_t id, uint32_t job,
    struct smtpd_disk_place place, smtpd_write_fn *write, void *user)
{
	struct smtpd_disk_place *places;
	size_t count;
	int status = 0;

	if (list_histories(s, id, job, place, &places, &count) == -1)
		return -1;
	for (size_t i = count; i-- > 0 && status == 0;)
		status = write_history(s, id, job, places[i], write, user);
	free(places);
	return status;
}

/* The last progress record of JOB.  Segment 0: none. */
static struct smtpd_disk_place
last_history(struct smtpd_spool *s, const struct smtpd_delivery_job *job)
{
	struct smtpd_disk_place place;

	pthread_mutex_lock(&s->mutex);
	place = job->history;
	pthread_mutex_unlock(&s->mutex);
	return place;
}

static uint32_t
job_number(const struct smtpd_delivery_job *job)
{
	return (uint32_t)(job - job->message->jobs);
}

int
smtpd__spool_history(struct smtpd_spool *s,
    const struct smtpd_delivery_job *job, smtpd_write_fn *write, void *user)
{
	return smtpd__spool_history_read(s, job->message->id, job_number(job),
	    last_history(s, job), write, user);
}

/* Take all results of U: an array of *COUNT.  NULL when there are none; and
 * with errno when they are damaged, or there is no memory. */
static struct smtpd_rcpt_progress *
decode_results(struct smtpd_unpack *u, size_t *count)
{
	struct smtpd_unpack ahead = *u;
	struct smtpd_rcpt_progress r, *list;
	size_t n = 0;

	while (smtpd__record_get_result(&ahead, &r))
		n++;
	errno = ahead.failed ? EBADMSG : 0;
	if (ahead.failed || n == 0)
		return NULL;
	list = calloc(n, sizeof(*list));
	for (size_t i = 0; list != NULL && i < n; i++)
		smtpd__record_get_result(u, &list[i]);
	*count = list != NULL ? n : 0;
	return list;
}

int
smtpd__spool_history_results(struct smtpd_spool *s,
    const struct smtpd_delivery_job *job, struct smtpd_rcpt_progress **results,
    size_t *count)
{
	struct smtpd_disk_place place, now = last_history(s, job);
	struct smtpd_record_progress p;
	struct smtpd_unpack u, history;
	void *memory = NULL;

	*results = NULL;
	*count = 0;
	if (now.segment == 0)
		return 0;
	/* It may be written anew meanwhile. */
	do {
		place = now;
		memory = smtpd__spool_read_progress(s, job->message->id,
		    job_number(job), place, &p, &u, &history);
		now = last_history(s, job);
	} while (memory == NULL && !same_place(place, now));
	if (memory == NULL)
		return -1;
	*results = decode_results(&u, count);
	free(memory);
	return *results != NULL || errno == 0 ? 0 : -1;
}
