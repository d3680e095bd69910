/* SPDX-License-Identifier: MIT */
#include "quota.h"

#include <errno.h>
#include <pthread.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <smtpd/maildir.h>

struct quotas {
	pthread_mutex_t guard; /* of the tree alone */
	void *tree;
};

struct quota {
	const char *path; /* stands behind the struct */
	size_t root_len;

	pthread_mutex_t guard; /* of all below, also while it is gone through */
	uint64_t used;
	uint64_t reserved;
	int64_t scanned_ms; /* 0: never */
	int64_t next_ms;    /* not again before that */

	/* The last message that is to come again. */
	char *refused_for; /* its client; NULL: there is none */
	uint64_t refused;  /* its size */
	int64_t refused_ms;
};

static int64_t
now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

struct quotas *
quotas_create(void)
{
	struct quotas *quotas = calloc(1, sizeof(*quotas));

	if (quotas != NULL)
		pthread_mutex_init(&quotas->guard, NULL);
	return quotas;
}

static void
free_quota(struct quota *q)
{
	pthread_mutex_destroy(&q->guard);
	free(q->refused_for);
	free(q);
}

static int
compare_paths(const void *a, const void *b)
{
	const struct quota *x = a;
	const struct quota *y = b;

	return strcmp(x->path, y->path);
}

void
quotas_destroy(struct quotas *quotas)
{
	if (quotas == NULL)
		return;
	while (quotas->tree != NULL) {
		struct quota *q = *(struct quota **)quotas->tree;

		tdelete(q, &quotas->tree, compare_paths);
		free_quota(q);
	}
	pthread_mutex_destroy(&quotas->guard);
	free(quotas);
}

static struct quota *
create_quota(const char *path, size_t root_len)
{
	size_t len = strlen(path) + 1;
	struct quota *q = calloc(1, sizeof(*q) + len);

	if (q == NULL)
		return NULL;
	q->path = memcpy(q + 1, path, len);
	q->root_len = root_len;
	pthread_mutex_init(&q->guard, NULL);
	return q;
}

/* Find PATH, or add it, while the tree is guarded. */
static struct quota *
find_path(struct quotas *quotas, const char *path, size_t root_len)
{
	const struct quota key = { .path = path };
	struct quota **node = tfind(&key, &quotas->tree, compare_paths);
	struct quota *q;

	if (node != NULL)
		return *node;
	q = create_quota(path, root_len);
	if (q != NULL && tsearch(q, &quotas->tree, compare_paths) == NULL) {
		free_quota(q);
		q = NULL;
	}
	return q;
}

struct quota *
quotas_find(struct quotas *quotas, const char *path, size_t root_len)
{
	struct quota *q;

	pthread_mutex_lock(&quotas->guard);
	q = find_path(quotas, path, root_len);
	pthread_mutex_unlock(&quotas->guard);
	return q;
}

/* Go through the mailbox.  Return 0, or -1 with errno. */
static int
scan_mailbox(struct quota *q, int64_t begun)
{
	uint64_t used;
	int64_t end;

	if (smtpd_maildir_usage(q->path, q->root_len, &used) == -1) {
		if (errno != ENOENT)
			return -1;
		used = 0;
	}
	end = now_ms();
	q->used = used;
	q->scanned_ms = end;
	q->next_ms = end + (end - begun) * QUOTA_SCAN_SHARE;
	if (q->next_ms < end + 1000)
		q->next_ms = end + 1000;
	return 0;
}

static bool
has_room(const struct quota *q, uint64_t limit, uint64_t size)
{
	return q->used <= limit && q->reserved <= limit - q->used &&
	    size <= limit - q->used - q->reserved;
}

static int
refuse_size(struct quota_request *r, int error)
{
	r->refused = true;
	errno = error;
	return -1;
}

/* Whether the message has room, by what is known or, where that is not enough,
 * by a look.  Return as quota_check(). */
static int
find_room(struct quota *q, struct quota_request *r)
{
	int64_t now = now_ms();
	bool old = q->scanned_ms == 0 ||
	    now - q->scanned_ms > INT64_C(1000) * QUOTA_SCAN_AGE;

	if ((old || !has_room(q, r->limit, r->size)) && now >= q->next_ms &&
	    scan_mailbox(q, now) == -1)
		return -1;
	r->used = q->used + q->reserved;
	return has_room(q, r->limit, r->size) ? 0 : refuse_size(r, EDQUOT);
}

static void
forget_refused(struct quota *q)
{
	free(q->refused_for);
	q->refused_for = NULL;
}

/* Whether the last message without room was of the client of R, and not long
 * ago. */
static bool
was_refused(const struct quota *q, const struct quota_request *r)
{
	size_t len = strlen(r->peer);

	return q->refused_for != NULL &&
	    now_ms() - q->refused_ms < INT64_C(1000) * QUOTA_REFUSE_AGE &&
	    strncmp(q->refused_for, r->peer, len) == 0 &&
	    q->refused_for[len] == ' ' &&
	    strcmp(q->refused_for + len + 1, r->sender) == 0;
}

int
quota_check(struct quota *q, struct quota_request *r)
{
	bool again;
	int result;

	if (r->size > r->limit)
		return refuse_size(r, EMSGSIZE);
	pthread_mutex_lock(&q->guard);
	/* A client that says no size, and had no room before, would have none
	 * again, for it tries with the same message. */
	again = r->size == 0 && was_refused(q, r);
	if (again)
		r->size = q->refused;
	else if (r->size == 0)
		r->size = 1;
	result = find_room(q, r);
	if (again && result == 0)
		forget_refused(q);
	pthread_mutex_unlock(&q->guard);
	return result;
}

int
quota_reserve(struct quota *q, struct quota_request *r)
{
	int result;

	if (r->size > r->limit)
		return refuse_size(r, EMSGSIZE);
	pthread_mutex_lock(&q->guard);
	result = find_room(q, r);
	if (result == 0) {
		q->reserved += r->size;
		if (was_refused(q, r))
			forget_refused(q);
	}
	pthread_mutex_unlock(&q->guard);
	return result;
}

void
quota_remember(struct quota *q, const struct quota_request *r)
{
	size_t size = strlen(r->peer) + strlen(r->sender) + 2;
	char *client = malloc(size);

	if (client != NULL)
		snprintf(client, size, "%s %s", r->peer, r->sender);
	pthread_mutex_lock(&q->guard);
	forget_refused(q);
	q->refused_for = client;
	q->refused = r->size;
	q->refused_ms = now_ms();
	pthread_mutex_unlock(&q->guard);
}

void
quota_record(struct quota *q, uint64_t size, bool stored)
{
	pthread_mutex_lock(&q->guard);
	q->reserved -= size;
	if (stored)
		q->used += size;
	pthread_mutex_unlock(&q->guard);
}
