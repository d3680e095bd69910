/* SPDX-License-Identifier: MIT */
/* For nftw(). */
#define _XOPEN_SOURCE 700
#include "spool_fixture.h"

#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <ftw.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "queue/spool/core.h"
#include "test.h"

struct smtpd_destination {
	struct smtpd_destination *next;
	uint64_t references;
	char name[256];
};

static struct smtpd_destination *
get_destination(
    void *user, const char *domain, const struct smtpd_spool_addressees *mail)
{
	struct fixture *f = user;
	struct smtpd_destination *d = f->destinations;

	(void)mail;
	while (d != NULL && strcmp(d->name, domain) != 0)
		d = d->next;
	if (d == NULL) {
		d = calloc(1, sizeof(*d));
		if (d == NULL)
			return NULL;
		snprintf(d->name, sizeof(d->name), "%s", domain);
		d->next = f->destinations;
		f->destinations = d;
	}
	d->references++;
	f->references++;
	return d;
}

static void
release_destination(void *user, struct smtpd_destination *d)
{
	struct fixture *f = user;

	assert_true(d->references > 0);
	d->references--;
	f->references--;
}

static int
lose(void *user, struct smtpd_queued_message *message, const char *why)
{
	struct fixture *f = user;

	f->lost++;
	return smtpd__state_change_end(f->spool, message, why);
}

const char *
fixture_name(const struct smtpd_destination *d)
{
	return d->name;
}

void
fixture_make(struct fixture *f)
{
	*f = (struct fixture){
		.path = "/var/tmp/test_spool.XXXXXX",
		.settings = {
			.segment_size = 1048576,
			.destination = get_destination,
			.release = release_destination,
			.lost = lose,
			.user = f,
		},
	};
	assert_non_null(mkdtemp(f->path));
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

void
fixture_remove(struct fixture *f)
{
	while (f->destinations != NULL) {
		struct smtpd_destination *next = f->destinations->next;

		free(f->destinations);
		f->destinations = next;
	}
	nftw(f->path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

void
fixture_open(struct fixture *f)
{
	f->spool = smtpd__spool_open(&smtpd__disk_engine, f->path, &f->settings,
	    f->error, sizeof(f->error));
	if (f->spool == NULL)
		fail_msg("%s", f->error);
}

void
fixture_close(struct fixture *f)
{
	smtpd__spool_close(f->spool);
	f->spool = NULL;
	assert_int_equal(f->references, 0);
}

void
fixture_reopen(struct fixture *f)
{
	fixture_close(f);
	fixture_open(f);
}

uint32_t
fixture_due(const struct fixture *f, uint32_t due)
{
	uint32_t closed = f->spool->closed_s;

	return due > closed ? due - closed : 0;
}

int
fixture_setup(void **state)
{
	struct fixture *f = malloc(sizeof(*f));

	assert_non_null(f);
	fixture_make(f);
	fixture_open(f);
	*state = f;
	return 0;
}

int
fixture_teardown(void **state)
{
	struct fixture *f = *state;

	if (f->spool != NULL)
		fixture_close(f);
	fixture_remove(f);
	free(f);
	return 0;
}

int
fixture_try_add(struct fixture *f, const char *const *rcpts, size_t count,
    const char *content, size_t len, struct smtpd_queued_message **message)
{
	struct smtpd_outgoing_rcpt *list = calloc(count + 1, sizeof(*list));
	struct smtpd_spool_mail mail = {
		.envelope = {
			SMTPD_OUTGOING_ENVELOPE_INIT,
			.sender = "sender@example.org",
			.rcpts = list,
			.nrcpts = count,
		},
		.content = smtpd__spool_content_create(f->spool),
	};
	int status = -1;

	*message = NULL;
	if (list == NULL || mail.content == NULL) {
		free(list);
		smtpd__spool_content_destroy(mail.content);
		errno = ENOMEM;
		return -1;
	}
	for (size_t i = 0; i < count; i++)
		list[i].address = rcpts[i];
	if (smtpd__spool_content_write(mail.content, content, len) == 0)
		status = smtpd__spool_add(f->spool, &mail, message);
	else
		smtpd__spool_content_destroy(mail.content);
	free(list);
	return status;
}

uint64_t
fixture_add(struct fixture *f, const char *rcpt, const char *content)
{
	struct smtpd_queued_message *e;
	uint64_t id;

	assert_int_equal(
	    fixture_try_add(f, &rcpt, 1, content, strlen(content), &e), 0);
	assert_non_null(e);
	id = e->id;
	smtpd__spool_unpin(f->spool, e);
	return id;
}

struct smtpd_queued_message *
fixture_find(struct fixture *f, uint64_t id)
{
	struct smtpd_queued_message *e = smtpd__spool_find(f->spool, id);

	assert_non_null(e);
	return e;
}

bool
fixture_has(struct fixture *f, uint64_t id)
{
	struct smtpd_queued_message *e = smtpd__spool_find(f->spool, id);

	if (e != NULL)
		smtpd__spool_unpin(f->spool, e);
	return e != NULL;
}

static void
fill_progress(struct smtpd_rcpt_progress *r, uint32_t rcpt, bool finished)
{
	r->rcpt = rcpt;
	r->finished = finished;
	snprintf(r->host, sizeof(r->host), "mx.example.com");
	r->result.outcome =
	    finished ? SMTPD_OUTCOME_SENT : SMTPD_OUTCOME_TEMPORARY;
	r->result.phase = SMTPD_PHASE_DOT;
	r->result.code = finished ? 250 : 451;
	snprintf(r->result.status, sizeof(r->result.status), "%s",
	    finished ? "2.0.0" : "4.3.0");
	snprintf(r->result.text, sizeof(r->result.text), "as said");
}

int
fixture_progress(struct fixture *f, uint64_t id, uint32_t job, bool finished,
    uint32_t due, const char *history)
{
	struct smtpd_queued_message *e = fixture_find(f, id);
	struct smtpd_delivery_job *j = &e->jobs[job];
	struct smtpd_rcpt_progress *rcpts = calloc(j->count, sizeof(*rcpts));
	struct smtpd_progress p = {
		.job = j,
		.rcpts = rcpts,
		.due = due,
		.attempts = (uint16_t)(j->attempts + 1),
		.history = history,
		.history_len = strlen(history),
	};
	struct smtpd_queued_message *report = NULL;
	int status = -1;

	for (uint32_t i = 0; rcpts != NULL && i < j->count; i++)
		if (!smtpd__queued_message_is_finished(e, j, j->first + i))
			fill_progress(
			    &rcpts[p.nrcpts++], j->first + i, finished);
	if (rcpts != NULL)
		status = smtpd__spool_progress(f->spool, &p, &report);
	free(rcpts);
	assert_null(report);
	smtpd__spool_unpin(f->spool, e);
	return status;
}

void
fixture_assert_content(
    struct fixture *f, uint64_t id, const char *text, size_t len)
{
	struct smtpd_queued_message *e = fixture_find(f, id);
	struct smtpd_loaded_message loaded;
	char *copy = malloc(len + 1);
	size_t done = 0;
	ssize_t n;

	assert_non_null(copy);
	assert_int_equal(smtpd__spool_load(f->spool, e, &loaded), 0);
	assert_int_equal(loaded.size, len);
	assert_int_equal(e->size, len);
	while ((n = smtpd__loaded_message_read(
		    &loaded, done, copy + done, len + 1 - done)) > 0)
		done += (size_t)n;
	assert_int_equal(n, 0);
	assert_int_equal(done, len);
	assert_memory_equal(copy, text, len);
	assert_int_equal(smtpd__loaded_message_check(&loaded), 0);
	free(copy);
	smtpd__loaded_message_finish(&loaded);
	smtpd__spool_unpin(f->spool, e);
}

struct text {
	char *at;
	size_t left;
};

static int
append(void *user, const void *data, size_t len)
{
	struct text *t = user;

	assert_true(len < t->left);
	memcpy(t->at, data, len);
	t->at += len;
	t->left -= len;
	*t->at = '\0';
	return 0;
}

void
fixture_trail(
    struct fixture *f, uint64_t id, uint32_t job, char *buf, size_t size)
{
	struct smtpd_queued_message *e = fixture_find(f, id);
	struct text t = { .at = buf, .left = size };

	buf[0] = '\0';
	assert_int_equal(
	    smtpd__spool_history(f->spool, &e->jobs[job], append, &t), 0);
	smtpd__spool_unpin(f->spool, e);
}

size_t
fixture_count_files(struct fixture *f, const char *name)
{
	char path[128];
	struct dirent *d;
	size_t count = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "%s/%s", f->path, name);
	dir = opendir(path);
	assert_non_null(dir);
	while ((d = readdir(dir)) != NULL)
		count += d->d_name[0] != '.';
	closedir(dir);
	return count;
}

void
fixture_clean(struct fixture *f)
{
	int steps = 0;

	while (smtpd__spool_clean(f->spool))
		assert_true(++steps < 10000);
}

uint32_t
fixture_random(uint64_t *seed, uint32_t n)
{
	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)((*seed >> 33) % n);
}
