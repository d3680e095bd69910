/* SPDX-License-Identifier: MIT */
#include "queue/seven_bit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/id.h"
#include "base/text.h"
#include "grammar/mime_convert.h"

/* Octets that are read at a time. */
#define PIECE_SIZE 4096

struct conversion {
	struct smtpd_queue_message *m;
	struct smtpd_sign sign; /* of the new content */
	bool eight_bit;         /* that has such bytes */
	bool long_lines;        /* and such lines */
	size_t column;
	struct smtpd_mime_plan plan;
	union {
		struct smtpd_mime_planner planner;
		struct smtpd_mime_convert convert;
	};
};

/* Note what the new content has, and write it to what signs. */
static int
write_converted(void *user, const void *data, size_t len)
{
	struct conversion *c = user;
	const char *text = data;

	if (c->sign.content->large != NULL &&
	    !smtpd__disk_space_has_room(&c->m->queue->space, len)) {
		errno = ENOSPC;
		return -1;
	}
	c->eight_bit = c->eight_bit || !smtpd__text_is_ascii(text, len);
	for (size_t i = 0; i < len; i++) {
		/* With the CR. */
		c->column = text[i] == '\n' ? 0 : c->column + 1;
		c->long_lines =
		    c->long_lines || c->column > SMTPD_MIME_WIDTH_MAX + 1;
	}
	return smtpd__sign_write(&c->sign, data, len);
}

static int
feed_plan(struct conversion *c, const char *data, size_t len)
{
	smtpd__mime_plan_feed(&c->planner, data, len);
	return 0;
}

static int
feed_convert(struct conversion *c, const char *data, size_t len)
{
	return smtpd__mime_convert_feed(&c->convert, data, len);
}

/* Hand all of the content, but for the room for signatures, to FEED. */
static int
read_content(struct conversion *c,
    int (*feed)(struct conversion *c, const char *data, size_t len))
{
	struct smtpd_spool_content *content = c->m->mail.content;
	uint64_t at = content->reserved;
	char piece[PIECE_SIZE];
	ssize_t n;

	while ((n = smtpd__spool_content_read(
		    content, at, piece, sizeof(piece))) > 0) {
		if (feed(c, piece, (size_t)n) == -1)
			return -1;
		at += (uint64_t)n;
	}
	return n == 0 ? 0 : -1;
}

static void
log_conversion(const struct smtpd_queue_message *m)
{
	char id[SMTPD_ID_SIZE];

	smtpd__id_write(m->mail.id, id);
	smtpd__logger_write(&m->queue->delivery.logger, SMTPD_LOG_DEBUG,
	    "id=%s content=\"converted\" reason=\"it is signed\"", id);
}

/* Have M the new content, and what signs that. */
static void
replace_content(struct conversion *c)
{
	struct smtpd_queue_message *m = c->m;

	smtpd__sign_finish(&m->sign);
	smtpd__spool_content_destroy(m->mail.content);
	m->sign = c->sign;
	m->mail.content = c->sign.content;
	m->edit.info.eight_bit = c->eight_bit;
	m->edit.info.long_lines = c->long_lines;
	m->mail.envelope.eight_bit = c->eight_bit;
	m->mail.envelope.long_lines = c->long_lines;
	log_conversion(m);
}

static int
write_new(struct conversion *c)
{
	struct smtpd_queue_message *m = c->m;
	struct smtpd_spool_content *content =
	    smtpd__spool_content_create(m->queue->delivery.spool);

	if (content == NULL)
		return -1;
	if (smtpd__sign_begin(&c->sign, m->sign.signing, m->mail.id, content) ==
	    0) {
		smtpd__mime_convert_init(
		    &c->convert, &c->plan, write_converted, c);
		if (read_content(c, feed_convert) == 0 &&
		    smtpd__mime_convert_end(&c->convert) == 0) {
			replace_content(c);
			return 0;
		}
		smtpd__sign_finish(&c->sign);
	}
	smtpd__spool_content_destroy(content);
	return -1;
}

/* Whether what M needs can be done by a conversion. */
static bool
is_needed(const struct smtpd_queue_message *m)
{
	const struct smtpd_header_info *info = &m->edit.info;

	return smtpd__sign_will_sign(&m->sign) &&
	    (info->eight_bit || info->long_lines) &&
	    !m->queue->delivery.settings.dkim_as_is;
}

int
smtpd__seven_bit_convert(struct smtpd_queue_message *m)
{
	/* RFC 6531, 3.1: Hosts that take the header take the rest as well. */
	const bool stays = m->mail.envelope.utf8 &&
	    (m->edit.info.eight_bit_header || m->eight_bit_part);
	struct conversion *c;
	int status;

	if (!is_needed(m))
		return 0;
	c = malloc(sizeof(*c));
	if (c == NULL)
		return -1;
	c->m = m;
	c->eight_bit = c->long_lines = false;
	c->column = 0;
	smtpd__mime_plan_init(&c->planner, &c->plan, stays);
	status = read_content(c, feed_plan);
	smtpd__mime_plan_end(&c->planner);
	if (status == 0 && c->plan.need == SMTPD_MIME_NEED_CONVERSION)
		status = write_new(c);
	free(c);
	return status;
}
