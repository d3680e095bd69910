/* SPDX-License-Identifier: MIT */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "queue/spool/core.h"

/* How often a message is looked for that is being written anew. */
#define TRIES 8

/* How many histories of a job are read: more than a message of five days has. */
#define TRAILS_MAX 4096

bool
smtpd__spool_place(struct smtpd_spool *s, const struct smtpd_queued_message *e,
    struct smtpd_disk_place *place)
{
	bool lives;

	pthread_mutex_lock(&s->mutex);
	lives = (e->flags & SMTPD_MESSAGE_ENDED) == 0;
	*place = e->place;
	pthread_mutex_unlock(&s->mutex);
	return lives;
}

static bool
same_place(struct smtpd_disk_place a, struct smtpd_disk_place b)
{
	return a.segment == b.segment && a.offset == b.offset;
}

/* The record of E, wherever it is moved to meanwhile. */
static void *
read_record(struct smtpd_spool *s, const struct smtpd_queued_message *e,
    struct smtpd_disk_record *record, const void **body)
{
	struct smtpd_disk_place place, now;
	void *memory = NULL;

	for (int i = 0; i < TRIES && memory == NULL; i++) {
		errno = ENOENT;
		if (!smtpd__spool_place(s, e, &place))
			return NULL;
		memory = smtpd__disk_read(s->log, place, record, body);
		if (memory != NULL || (errno != ENOENT && errno != EBADMSG))
			return memory;
		if (!smtpd__spool_place(s, e, &now)) {
			errno = ENOENT;
			return NULL;
		}
		if (same_place(place, now)) {
			/* It was live there. */
			errno = EBADMSG;
			return NULL;
		}
	}
	return memory;
}

void *
smtpd__spool_read_message(struct smtpd_spool *s,
    const struct smtpd_queued_message *e, struct smtpd_disk_record *record,
    struct smtpd_record_message *m, const void **body)
{
	void *memory = read_record(s, e, record, body);
	uint64_t content;

	if (memory == NULL)
		return NULL;
	if (record->type == SMTPD_RECORD_MESSAGE &&
	    smtpd__record_get_message(record->head, record->head_len, m) &&
	    m->id == e->id && m->envelope_len <= record->body_len) {
		content = record->body_len - m->envelope_len;
		if ((m->flags & SMTPD_MESSAGE_LARGE) != 0 ? content == 0
							  : content == m->size)
			return memory;
	}
	free(memory);
	errno = EBADMSG;
	return NULL;
}

/* Open the content of a large message. */
static int
open_large(struct smtpd_spool *s, struct smtpd_loaded_message *loaded)
{
	char name[SMTPD_ID_SIZE];
	struct stat st;

	smtpd__id_write(loaded->id, name);
	loaded->fd = openat(s->large, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (loaded->fd == -1) {
		if (errno == ENOENT || errno == ELOOP || errno == EBADF)
			errno = EBADMSG;
		return -1;
	}
	if (fstat(loaded->fd, &st) == -1)
		return -1;
	if (S_ISREG(st.st_mode) && st.st_size >= 0 &&
	    (uint64_t)st.st_size == loaded->size)
		return 0;
	errno = EBADMSG;
	return -1;
}

/* Fill in LOADED, with a copy of BODY behind its recipients. */
static int
fill(struct smtpd_spool *s, const struct smtpd_record_message *m,
    const void *body, size_t len, struct smtpd_loaded_message *loaded)
{
	size_t rcpts = m->nrcpts * sizeof(struct smtpd_outgoing_rcpt);
	char *copy;

	loaded->id = m->id;
	loaded->arrived_ms = m->arrived_ms;
	loaded->nrcpts = m->nrcpts;
	loaded->size = m->size;
	loaded->crc = m->crc;
	loaded->memory = malloc(rcpts + len);
	if (loaded->memory == NULL)
		return -1;
	loaded->rcpts = loaded->memory;
	copy = (char *)loaded->memory + rcpts;
	memcpy(copy, body, len);
	if (!smtpd__record_get_envelope(copy, m->envelope_len, loaded)) {
		errno = EBADMSG;
		return -1;
	}
	if ((m->flags & SMTPD_MESSAGE_LARGE) != 0)
		return open_large(s, loaded);
	loaded->content = copy + m->envelope_len;
	return 0;
}

int
smtpd__spool_load(struct smtpd_spool *s,
    const struct smtpd_queued_message *message,
    struct smtpd_loaded_message *loaded)
{
	struct smtpd_disk_record record;
	struct smtpd_record_message m;
	struct smtpd_disk_place place;
	const void *body;
	void *memory =
	    smtpd__spool_read_message(s, message, &record, &m, &body);
	int status, error;

	*loaded = (struct smtpd_loaded_message){ .fd = -1 };
	if (memory == NULL)
		return -1;
	status = fill(s, &m, body, record.body_len, loaded);
	error = errno;
	free(memory);
	if (status == 0)
		return 0;
	smtpd__loaded_message_finish(loaded);
	/* Its file may have gone because it has ended. */
	if (!smtpd__spool_place(s, message, &place))
		error = ENOENT;
	errno = error;
	return -1;
}

void *
smtpd__spool_read_progress(struct smtpd_spool *s, uint64_t id, uint32_t job,
    struct smtpd_disk_place place, struct smtpd_record_progress *p,
    struct smtpd_unpack *results, struct smtpd_unpack *history)
{
	struct smtpd_disk_record record;
	const void *body;
	void *memory = smtpd__disk_read(s->log, place, &record, &body);

	if (memory == NULL)
		return NULL;
	if (record.type == SMTPD_RECORD_PROGRESS &&
	    smtpd__record_get_progress(record.head, record.head_len, p) &&
	    p->id == id && p->job == job && p->results_len <= record.body_len) {
		*results =
		    (struct smtpd_unpack){ .at = body, .left = p->results_len };
		*history = (struct smtpd_unpack){
			.at = (const unsigned char *)body + p->results_len,
			.left = record.body_len - p->results_len,
		};
		return memory;
	}
	free(memory);
	errno = EBADMSG;
	return NULL;
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
list_trails(struct smtpd_spool *s, uint64_t id, uint32_t job,
    struct smtpd_disk_place place, struct smtpd_disk_place **list,
    size_t *count)
{
	struct smtpd_disk_place *places = NULL;
	size_t n = 0;

	while (place.segment != 0 && n < TRAILS_MAX) {
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
smtpd__spool_read_history(struct smtpd_spool *s, uint64_t id, uint32_t job,
    struct smtpd_disk_place place, smtpd_write_fn *write, void *user)
{
	struct smtpd_disk_place *places;
	size_t count;
	int status = 0;

	if (list_trails(s, id, job, place, &places, &count) == -1)
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
number(const struct smtpd_delivery_job *job)
{
	return (uint32_t)(job - job->message->jobs);
}

int
smtpd__spool_history(struct smtpd_spool *s,
    const struct smtpd_delivery_job *job, smtpd_write_fn *write, void *user)
{
	return smtpd__spool_read_history(s, job->message->id, number(job),
	    last_history(s, job), write, user);
}

/* Take all results of U: an array of *COUNT.  NULL when there are none; and
 * with errno when they are damaged, or there is no memory. */
static struct smtpd_rcpt_progress *
take_results(struct smtpd_unpack *u, size_t *count)
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
smtpd__spool_results(struct smtpd_spool *s,
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
		memory = smtpd__spool_read_progress(
		    s, job->message->id, number(job), place, &p, &u, &history);
		now = last_history(s, job);
	} while (memory == NULL && !same_place(place, now));
	if (memory == NULL)
		return -1;
	*results = take_results(&u, count);
	free(memory);
	return *results != NULL || errno == 0 ? 0 : -1;
}
