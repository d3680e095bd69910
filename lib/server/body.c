/* SPDX-License-Identifier: MIT */
#include "server/body.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "grammar/line_scan.h"
#include "server/answer.h"
#include "server/session_wait.h"

/* The memory for a header at first, which most fit in, and how it grows. */
#define HEADER_ROOM   8192
#define HEADER_GROWTH 8

/* The memory for a message at first. */
#define SLURP_ROOM 8192

void
smtpd__body_init(struct smtpd_body *b, struct smtpd_session *s,
    struct smtpd_body_source *source)
{
	b->s = s;
	b->source = source;
	b->fault = SMTPD_BODY_OK;
	b->over = false;
	b->unwanted = false;
	b->octets = 0;
	b->begun = b->has_header = false;
	b->ahead = b->start;
	b->room = sizeof(b->start);
	b->ahead_at = b->ahead_end = 0;
	b->header = NULL;
	smtpd__hops_init(&b->hops);
}

/* The first fault that the message has shown so far. */
static enum smtpd_body_fault
find_fault(const struct smtpd_body *b)
{
	const struct smtpd_settings *settings = &b->s->config->settings;
	unsigned found = b->source->found;

	if (b->source->judged)
		return SMTPD_BODY_OK;
	if (settings->max_message_size != SMTPD_NO_SIZE_LIMIT &&
	    (b->octets > settings->max_message_size ||
		b->source->announced > settings->max_message_size))
		return SMTPD_BODY_TOO_LARGE;
	if ((found & SMTPD_LINE_SCAN_BARE_CR) != 0 &&
	    settings->bare_cr == SMTPD_TREAT_REFUSE)
		return SMTPD_BODY_BARE_CR;
	if ((found & SMTPD_LINE_SCAN_BARE_LF) != 0 &&
	    settings->bare_lf == SMTPD_TREAT_REFUSE)
		return SMTPD_BODY_BARE_LF;
	if ((found & SMTPD_LINE_SCAN_NUL) != 0 &&
	    settings->nul == SMTPD_TREAT_REFUSE)
		return SMTPD_BODY_NUL;
	if ((found & SMTPD_LINE_SCAN_LONG_LINE) != 0 &&
	    settings->max_text_line != SMTPD_NO_LIMIT)
		return SMTPD_BODY_LONG_LINE;
	if (settings->max_hops != SMTPD_NO_LIMIT &&
	    b->hops.count >= settings->max_hops)
		return SMTPD_BODY_LOOP;
	return SMTPD_BODY_OK;
}

/*
 * Read from the source into BUF of SIZE bytes, and measure and judge it.
 * Return the number of bytes, 0 when a valid message is over, or -1 when there
 * will be no valid end.
 */
static ssize_t
read_source(struct smtpd_body *b, char *buf, size_t size)
{
	ssize_t n = 0;

	if (b->fault != SMTPD_BODY_OK)
		return -1;
	if (!b->over)
		n = b->source->read(b->source, buf, size);
	if (n == -1)
		return -1;
	if (n == 0 && !b->over) {
		b->over = true;
		smtpd__session_wait_note_end(b->s);
	}
	b->octets += (uint64_t)n;
	smtpd__hops_feed(&b->hops, buf, (size_t)n);
	b->fault = find_fault(b);
	return b->fault == SMTPD_BODY_OK ? n : -1;
}

static ssize_t
read_ahead(struct smtpd_body *b, char *buf, size_t size)
{
	size_t n = b->ahead_end - b->ahead_at;

	if (n > size)
		n = size;
	memcpy(buf, b->ahead + b->ahead_at, n);
	b->ahead_at += n;
	return (ssize_t)n;
}

/* For readers of a few bytes. */
static ssize_t
read_some(struct smtpd_body *b, char *buf, size_t size)
{
	ssize_t n = read_source(b, b->start, SMTPD_BODY_SOURCE_MIN);

	if (n <= 0)
		return n;
	b->ahead = b->start;
	b->room = sizeof(b->start);
	b->ahead_at = 0;
	b->ahead_end = (size_t)n;
	return read_ahead(b, buf, size);
}

ssize_t
smtpd_body_read(struct smtpd_body *b, void *buf, size_t size)
{
	ssize_t n;

	/* 0 would say that the message is over. */
	if (buf == NULL || size == 0) {
		errno = EINVAL;
		return -1;
	}
	if (b->unwanted) {
		errno = EIO;
		return -1;
	}
	b->begun = true;
	if (b->ahead_at < b->ahead_end)
		return read_ahead(b, buf, size);
	if (size >= SMTPD_BODY_SOURCE_MIN)
		n = read_source(b, buf, size);
	else
		n = read_some(b, buf, size);
	if (n == -1)
		errno = EIO;
	return n;
}

/* Read ahead what there is room for.  Return false when there is no more. */
static bool
read_on(struct smtpd_body *b)
{
	ssize_t n = 0;

	if (!b->over && b->room - b->ahead_end >= SMTPD_BODY_SOURCE_MIN)
		n = read_source(
		    b, b->ahead + b->ahead_end, b->room - b->ahead_end);
	if (n <= 0)
		return false;
	b->ahead_end += (size_t)n;
	return true;
}

bool
smtpd__body_is_headless(struct smtpd_body *b)
{
	while (!b->hops.begun && read_on(b))
		continue;
	return b->hops.headless;
}

/* Let what is read ahead have ROOM bytes.  Return 0, or -1 without memory. */
static int
make_room(struct smtpd_body *b, size_t room)
{
	char *header = realloc(b->header, room);

	if (header == NULL)
		return -1;
	if (b->header == NULL)
		memcpy(header, b->start, b->ahead_end);
	b->ahead = b->header = header;
	b->room = room;
	return 0;
}

static bool
is_full(const struct smtpd_body *b)
{
	return b->room - b->ahead_end < SMTPD_BODY_SOURCE_MIN;
}

/* Read the header ahead, or as much of it as is given.  Return 0, or -1 with
 * errno. */
static int
read_header(struct smtpd_body *b)
{
	size_t room = HEADER_ROOM;

	do {
		if (make_room(b, room) == -1)
			return -1;
		while (!b->hops.done && read_on(b))
			continue;
		room *= HEADER_GROWTH;
	} while (!b->hops.done && is_full(b) && room <= SMTPD_BODY_HEADER_MAX);
	if (b->fault != SMTPD_BODY_OK ||
	    (!b->hops.done && !b->over && !is_full(b))) {
		errno = EIO;
		return -1;
	}
	b->has_header = true;
	b->header_len = b->hops.done ? b->hops.octets : b->ahead_end;
	/* Of one that is cut off, whole lines. */
	while (!b->hops.done && !b->over && b->header_len > 0 &&
	    b->header[b->header_len - 1] != '\n')
		b->header_len--;
	return 0;
}

const char *
smtpd_body_header(struct smtpd_body *b, size_t *len)
{
	if (b->begun && !b->has_header) {
		errno = EINVAL;
		return NULL;
	}
	if (b->unwanted) {
		errno = EIO;
		return NULL;
	}
	if (!b->has_header && read_header(b) == -1)
		return NULL;
	*len = b->header_len;
	return b->header;
}

/* Let TEXT have more room, with an octet above MAX and a NUL as the most.
 * Return it, or NULL without memory. */
static char *
grow_text(char *text, size_t *room, size_t max)
{
	size_t more = *room == 0 ? SLURP_ROOM : *room * 2;

	if (more - 2 > max)
		more = max + 2;
	*room = more;
	return realloc(text, more);
}

char *
smtpd_body_slurp(struct smtpd_body *b, size_t max, size_t *len)
{
	size_t room = 0, have = 0;
	char *text = NULL, *more;
	ssize_t n = 1;
	int error;

	while (n > 0 && have <= max) {
		if (have + 1 >= room) {
			more = grow_text(text, &room, max);
			if (more == NULL)
				break;
			text = more;
		}
		n = smtpd_body_read(b, text + have, room - 1 - have);
		have += n > 0 ? (size_t)n : 0;
	}
	if (n == 0) {
		text[have] = '\0';
		*len = have;
		return text;
	}
	error = n == -1 ? errno : have > max ? EMSGSIZE : ENOMEM;
	free(text);
	errno = error;
	return NULL;
}

bool
smtpd__body_finish(struct smtpd_body *b, bool refused)
{
	char dropped[1024];
	bool whole;

	b->source->refused = refused;
	while (
	    !b->source->judged && read_source(b, dropped, sizeof(dropped)) > 0)
		continue;
	/* Once it has a fault, nothing of it is measured any more. */
	if (b->fault != SMTPD_BODY_OK)
		b->source->refused = true;
	whole = b->source->finish(b->source);
	if ((b->source->found & SMTPD_LINE_SCAN_OVER_1000) != 0)
		smtpd__session_count(b->s, SMTPD_COUNTER_LONG_LINES);
	free(b->header);
	return whole;
}

void
smtpd__body_refuse(const struct smtpd_body *b)
{
	const struct smtpd_settings *settings = &b->s->config->settings;
	const enum smtpd_counter content = SMTPD_COUNTER_REFUSED_CONTENT;

	switch (b->fault) {
	case SMTPD_BODY_OK:
		break;
	case SMTPD_BODY_TOO_LARGE:
		smtpd__answer_refuse_limit(b->s, SMTPD_COUNTER_REFUSED_SIZE,
		    SMTPD_REPLY_MESSAGE_TOO_LARGE, settings->max_message_size);
		break;
	case SMTPD_BODY_BARE_CR:
		smtpd__answer_refuse(b->s, content, SMTPD_REPLY_BARE_CR, NULL);
		break;
	case SMTPD_BODY_BARE_LF:
		smtpd__answer_refuse(b->s, content, SMTPD_REPLY_BARE_LF, NULL);
		break;
	case SMTPD_BODY_NUL:
		smtpd__answer_refuse(b->s, content, SMTPD_REPLY_NUL, NULL);
		break;
	case SMTPD_BODY_LONG_LINE:
		smtpd__answer_refuse_limit(b->s, content, SMTPD_REPLY_LONG_LINE,
		    settings->max_text_line);
		break;
	case SMTPD_BODY_LOOP:
		smtpd__answer_refuse_limit(
		    b->s, content, SMTPD_REPLY_LOOP, settings->max_hops);
		break;
	}
}
