/* SPDX-License-Identifier: MIT */
#include "server/filter_run.h"

#include <errno.h>
#include <string.h>

#include "base/container.h"
#include "server/answer.h"
#include "server/rcpt_reply.h"

/* What is read for a filter at a time. */
#define PIECE 8192

/* Read of the message for the first filter, and copy that. */
static ssize_t
read_copying(struct smtpd_body_source *src, char *buf, size_t size)
{
	struct smtpd_filter_run *r =
	    SMTPD_CONTAINER_OF(src, struct smtpd_filter_run, copying);
	ssize_t n;

	r->from->refused = src->refused;
	n = r->from->read(r->from, buf, size);
	src->found = r->from->found;
	src->announced = r->from->announced;
	if (n > 0 && !src->refused && r->error == 0 &&
	    smtpd__message_copy_add(&r->copy, buf, (size_t)n) == -1)
		r->error = errno;
	return n;
}

static bool
finish_copying(struct smtpd_body_source *src)
{
	struct smtpd_filter_run *r =
	    SMTPD_CONTAINER_OF(src, struct smtpd_filter_run, copying);
	bool whole;

	r->from->refused = src->refused;
	whole = r->from->finish(r->from);
	src->found = r->from->found;
	return whole;
}

static ssize_t
read_item(struct smtpd_filter_run *r, char *buf, size_t size)
{
	const struct smtpd_header_item *item = &r->header.items[r->item];
	size_t n = item->len - r->item_at;

	if (n > size)
		n = size;
	memcpy(buf, item->text + r->item_at, n);
	r->item_at += n;
	if (r->item_at == item->len) {
		r->item++;
		r->item_at = 0;
	}
	return (ssize_t)n;
}

/* Read of the message as it is now: the fields, and the copy or another
 * body. */
static ssize_t
read_changed(struct smtpd_body_source *src, char *buf, size_t size)
{
	struct smtpd_filter_run *r =
	    SMTPD_CONTAINER_OF(src, struct smtpd_filter_run, changed);
	ssize_t n;

	if (r->item < r->header.count)
		return read_item(r, buf, size);
	if (r->gap) {
		r->gap = false;
		memcpy(buf, "\r\n", 2);
		return 2;
	}
	n = smtpd__message_copy_read(
	    r->replaced ? &r->body : &r->copy, r->at, buf, size);
	if (n == -1)
		r->error = errno;
	else
		r->at += (uint64_t)n;
	return n;
}

static bool
finish_changed(struct smtpd_body_source *src)
{
	(void)src;
	return true;
}

static void
init_copy(struct smtpd_filter_run *r, struct smtpd_message_copy *c)
{
	struct smtpd_server_config *config = r->s->config;

	smtpd__message_copy_init(
	    c, config->settings.temp_directory, &config->temp);
}

void
smtpd__filter_run_begin(struct smtpd_filter_run *r, struct smtpd_session *s,
    struct smtpd_body_source *from)
{
	*r = (struct smtpd_filter_run){
		.s = s,
		.from = from,
		.copying = { .read = read_copying, .finish = finish_copying },
		.changed = { .read = read_changed,
		    .finish = finish_changed,
		    .judged = true },
	};
	init_copy(r, &r->copy);
	init_copy(r, &r->body);
	init_copy(r, &r->next);
}

/* Whether the copy begins with neither a field nor an empty line, so that a
 * field on top of it needs one. */
static bool
is_headless(const struct smtpd_message_copy *c)
{
	char start[SMTPD_BODY_AHEAD];
	ssize_t n = smtpd__message_copy_read(c, 0, start, sizeof(start));
	struct smtpd_hops hops;

	if (n <= 0)
		return false;
	smtpd__hops_init(&hops);
	smtpd__hops_feed(&hops, start, (size_t)n);
	return hops.headless || !hops.begun;
}

int
smtpd__filter_run_load(struct smtpd_filter_run *r)
{
	const struct smtpd_message_copy *c = &r->copy;
	size_t len = c->octets < SMTPD_MESSAGE_COPY_MEMORY
	    ? (size_t)c->octets
	    : SMTPD_MESSAGE_COPY_MEMORY;
	size_t added = r->header.count;
	long header;

	if (r->loaded)
		return 0;
	header = smtpd__header_list_load(&r->header, c->memory, len);
	if (header >= 0 && ((size_t)header < len || len == c->octets)) {
		r->loaded = true;
		r->body_at = (uint64_t)header;
		return 0;
	}
	r->header.count = added;
	errno = header == -1 ? ENOMEM : EMSGSIZE;
	return -1;
}

int
smtpd__filter_run_insert(struct smtpd_filter_run *r, size_t at,
    const char *name, const char *blank, const char *value)
{
	if (smtpd__header_list_insert(&r->header, at, name, blank, value) == -1)
		return -1;
	/* What is being read goes on where it was. */
	if (at <= r->item)
		r->item++;
	return 0;
}

int
smtpd__filter_run_replace(
    struct smtpd_filter_run *r, const void *data, size_t len)
{
	if (!r->replacing) {
		smtpd__message_copy_finish(&r->next);
		init_copy(r, &r->next);
	}
	r->replacing = true;
	if (len == 0 || smtpd__message_copy_add(&r->next, data, len) == 0)
		return 0;
	r->error = errno;
	return -1;
}

void
smtpd__filter_run_keep_body(struct smtpd_filter_run *r)
{
	r->replacing = false;
}

/* The filter was asked, and said nothing against the message: its body, if it
 * gave one, is that of the message. */
static void
take_body(struct smtpd_filter_run *r)
{
	const struct smtpd_message_copy old = r->body;

	if (!r->replacing)
		return;
	r->body = r->next;
	r->next = old;
	r->replaced = true;
	r->replacing = false;
}

struct smtpd_body_source *
smtpd__filter_run_source(struct smtpd_filter_run *r, size_t i)
{
	if (i == 0)
		return r->s->config->filters.count > 0 ? &r->copying : r->from;
	r->item = r->item_at = 0;
	r->gap = r->replaced || (r->header.count > 0 && is_headless(&r->copy));
	r->at = r->replaced ? 0 : r->body_at;
	return &r->changed;
}

/* Let filter F of S have BODY.  Return its result. */
static int
call_filter(struct smtpd_session *s, const struct smtpd_filter *f,
    struct smtpd_body *body)
{
	char piece[PIECE];
	int result = 0;
	ssize_t n = 1;

	if (f->begin != NULL)
		result = f->begin(s, &s->envelope, body, f->user);
	while (result == 0 && n > 0) {
		n = smtpd_body_read(body, piece, sizeof(piece));
		if (n > 0 && f->data != NULL)
			result = f->data(s, body, piece, (size_t)n, f->user);
	}
	if (result == 0 && n == 0 && f->end != NULL) {
		s->filter_run->ending = true;
		result = f->end(s, body, f->user);
	}
	return result;
}

void
smtpd__filter_run_show(struct smtpd_filter_run *r, const struct smtpd_filter *f,
    struct smtpd_body *body)
{
	struct smtpd_session *s = r->s;
	int result;

	s->filter_run = r;
	s->may_reply = true;
	result = call_filter(s, f, body);
	s->may_reply = false;
	s->filter_run = NULL;
	r->ending = false;
	take_body(r);
	/* No 2xx is for a filter to say. */
	smtpd__answer_check(s, result, 0);
}

void
smtpd__filter_run_check(struct smtpd_filter_run *r)
{
	struct smtpd_session *s = r->s;
	char reason[128];

	if (r->error == 0 || s->ws->reply.code >= 400)
		return;
	if (strerror_r(r->error, reason, sizeof(reason)) != 0)
		reason[0] = '\0';
	smtpd__logger_write(&s->config->logger, SMTPD_LOG_ERROR,
	    "session=%llu cannot keep a message for its filters: %s",
	    (unsigned long long)s->id, reason);
	smtpd__rcpt_reply_drop(s);
	smtpd__answer_refuse(s, SMTPD_COUNTER_ERRORS,
	    r->error == ENOSPC ? SMTPD_REPLY_NO_STORAGE
			       : SMTPD_REPLY_LOCAL_ERROR,
	    NULL);
}

void
smtpd__filter_run_finish(struct smtpd_filter_run *r)
{
	smtpd__message_copy_finish(&r->copy);
	smtpd__message_copy_finish(&r->body);
	smtpd__message_copy_finish(&r->next);
	smtpd__header_list_finish(&r->header);
}
