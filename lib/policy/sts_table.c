/* SPDX-License-Identifier: MIT */
#include "policy/sts_table.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/container.h"
#include "os/clock.h"
#include "os/random.h"
#include "policy/sts_file.h"

/* Policies that are kept, and the octets of their texts. */
#define DOMAINS_MAX 10000
#define TEXTS_MAX   16777216

void
smtpd__sts_table_unref_text(struct smtpd_sts_text *text)
{
	if (text != NULL && atomic_fetch_sub(&text->refs, 1) == 1)
		free(text);
}

struct smtpd_sts_text *
smtpd__sts_table_text(const char *at, size_t len)
{
	struct smtpd_sts_text *text = malloc(sizeof(*text) + len);

	if (text == NULL)
		return NULL;
	atomic_init(&text->refs, 1);
	text->len = len;
	memcpy(text->at, at, len);
	return text;
}

uint64_t
smtpd__sts_table_end(const struct smtpd_sts_entry *e)
{
	return e->fetched_s + e->policy.max_age_s;
}

bool
smtpd__sts_table_has_policy(const struct smtpd_sts_entry *e, uint64_t now)
{
	return e->text != NULL && now < smtpd__sts_table_end(e);
}

struct smtpd_sts_entry *
smtpd__sts_table_find(const struct smtpd_sts_table *t, const char *domain)
{
	struct smtpd_named *node = smtpd__name_table_find(&t->names, domain);

	return node != NULL
	    ? SMTPD_CONTAINER_OF(node, struct smtpd_sts_entry, node)
	    : NULL;
}

void
smtpd__sts_table_unset(struct smtpd_sts_table *t, struct smtpd_sts_entry *e)
{
	if (e->text == NULL)
		return;
	t->texts -= e->text->len;
	smtpd__sts_table_unref_text(e->text);
	e->text = NULL;
	if (t->directory != -1)
		smtpd__sts_file_remove(t->directory, e->domain);
}

static void
drop_entry(struct smtpd_sts_table *t, struct smtpd_sts_entry *e)
{
	smtpd__sts_table_unset(t, e);
	smtpd__name_table_remove(&t->names, &e->node);
	free(e);
}

/* Make room for one more domain and LEN octets of text: those without a policy
 * go first. */
static void
make_room(struct smtpd_sts_table *t, size_t len)
{
	while (t->names.count >= DOMAINS_MAX ||
	    (t->texts > 0 && t->texts + len > TEXTS_MAX)) {
		struct smtpd_sts_entry *oldest = NULL;

		for (uint32_t i = 0; i < t->names.size; i++)
			for (struct smtpd_named *n = t->names.buckets[i];
			    n != NULL; n = n->next) {
				struct smtpd_sts_entry *e = SMTPD_CONTAINER_OF(
				    n, struct smtpd_sts_entry, node);

				if (e->busy)
					continue;
				if (oldest == NULL ||
				    (e->text == NULL) >
					(oldest->text == NULL) ||
				    ((e->text == NULL) ==
					    (oldest->text == NULL) &&
					e->used_s < oldest->used_s))
					oldest = e;
			}
		if (oldest == NULL)
			return;
		drop_entry(t, oldest);
	}
}

struct smtpd_sts_entry *
smtpd__sts_table_add(struct smtpd_sts_table *t, const char *domain)
{
	const size_t len = strlen(domain) + 1;
	struct smtpd_sts_entry *e;

	make_room(t, 0);
	e = calloc(1, sizeof(*e) + len);
	if (e == NULL)
		return NULL;
	memcpy(e->domain, domain, len);
	e->node.name = e->domain;
	smtpd__name_table_add(&t->names, &e->node);
	return e;
}

void
smtpd__sts_table_set(struct smtpd_sts_table *t, struct smtpd_sts_entry *e,
    struct smtpd_sts_text *text, const char *id, uint64_t fetched_s)
{
	const bool busy = e->busy;

	e->busy = true;
	make_room(t, text->len);
	e->busy = busy;
	if (e->text != NULL) {
		t->texts -= e->text->len;
		smtpd__sts_table_unref_text(e->text);
	}
	e->text = text;
	t->texts += text->len;
	smtpd__sts_policy_read(text->at, text->len, &e->policy);
	snprintf(e->id, sizeof(e->id), "%s", id);
	e->fetched_s = fetched_s;
	e->failure = SMTPD_TLS_FAILURE_NONE;
}

/* A policy that was kept by a process before. */
static void
load_policy(
    void *user, const char *domain, const struct smtpd_sts_stored *stored)
{
	const uint64_t now = smtpd__clock_wall_ms() / 1000;
	struct smtpd_sts_policy policy;
	struct smtpd_sts_table *t = user;
	struct smtpd_sts_text *text;
	struct smtpd_sts_entry *e;

	if (smtpd__sts_policy_read(stored->text, stored->len, &policy) !=
		NULL ||
	    stored->fetched_s + policy.max_age_s <= now) {
		smtpd__sts_file_remove(t->directory, domain);
		return;
	}
	text = smtpd__sts_table_text(stored->text, stored->len);
	e = text != NULL ? smtpd__sts_table_add(t, domain) : NULL;
	if (e == NULL) {
		free(text);
		return;
	}
	/* A clock that went back makes nothing hold longer. */
	smtpd__sts_table_set(t, e, text, stored->id,
	    stored->fetched_s < now ? stored->fetched_s : now);
	e->used_s = e->fetched_s;
}

int
smtpd__sts_table_begin(struct smtpd_sts_table *t, const char *directory)
{
	uint32_t seed;

	*t = (struct smtpd_sts_table){ .directory = -1 };
	smtpd__random_bytes(&seed, sizeof(seed));
	if (smtpd__name_table_init(&t->names, seed) == -1)
		return -1;
	if (directory == NULL)
		return 0;
	t->directory = smtpd__sts_file_open(directory);
	if (t->directory == -1)
		return -1;
	smtpd__sts_file_read_all(t->directory, load_policy, t);
	return 0;
}

void
smtpd__sts_table_finish(struct smtpd_sts_table *t)
{
	const int directory = t->directory;
	uint32_t i = 0;

	/* What is forgotten stays on the disk. */
	t->directory = -1;
	if (t->names.buckets == NULL)
		return;
	/* The table shrinks meanwhile. */
	while (t->names.count > 0) {
		struct smtpd_named *n =
		    t->names.buckets[i & (t->names.size - 1)];

		if (n == NULL)
			i++;
		else
			drop_entry(t,
			    SMTPD_CONTAINER_OF(
				n, struct smtpd_sts_entry, node));
	}
	smtpd__name_table_finish(&t->names);
	if (directory != -1)
		close(directory);
}

struct smtpd_sts_entry *
smtpd__sts_table_next(struct smtpd_sts_table *t, uint32_t *bucket,
    bool (*is_due)(const struct smtpd_sts_entry *e, uint64_t now), uint64_t now)
{
	for (; *bucket < t->names.size; ++*bucket)
		for (struct smtpd_named *n = t->names.buckets[*bucket];
		    n != NULL; n = n->next) {
			struct smtpd_sts_entry *e =
			    SMTPD_CONTAINER_OF(n, struct smtpd_sts_entry, node);

			if (!e->busy && is_due(e, now))
				return e;
		}
	return NULL;
}
