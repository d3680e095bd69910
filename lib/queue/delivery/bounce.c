/* SPDX-License-Identifier: MIT */
#include "queue/delivery/bounce.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/id.h"
#include "base/text.h"
#include "client/result.h"
#include "grammar/address_key.h"
#include "grammar/dsn.h"
#include "grammar/fields.h"
#include "grammar/header_info.h"
#include "grammar/quoted_printable.h"
#include "os/random.h"
#include "queue/delivery/expand.h"

/* A failed message of up to so many octets is returned whole, unless the sender
 * wants its header only; of up to the second, if the sender wants it whole. */
#define WHOLE_MAX 50000
#define FULL_MAX  1048576

#define BLOCK_SIZE 16384

/* The codes before a reason: "450 4.2.0 ". */
#define CODES_SIZE 32

/* A message that is reported. */
struct original {
	struct smtpd_header_info info;
	char id[SMTPD_ID_SIZE];
	struct smtpd_dsn_original about; /* points to the above */
};

/* A report while it is made, with its tables behind it. */
struct smtpd_bounce_hold {
	const struct smtpd_bounce *bounces;
	size_t count;
	struct smtpd_spool_content *content;
	struct smtpd_sign sign;               /* what is written to it */
	struct smtpd_quoted_printable quoted; /* the original, if need be */
	struct smtpd_outgoing_rcpt to;
	struct smtpd_arena arena; /* of what that becomes */
	struct smtpd_dsn_report report;
	uint64_t own_id;
	char unique[SMTPD_ID_SIZE]; /* own_id */
	struct original *originals;
	struct smtpd_dsn_rcpt *rcpts;
	char (*diagnostics)[CODES_SIZE + SMTPD_REASON_SIZE];
};

static bool
wants_report(const struct smtpd_bounce *b, const struct smtpd_rcpt_progress *r)
{
	const char *text = b->loaded->envelope.rcpts[r->rcpt].notify;
	unsigned notify = 0;

	/* What cannot be read was never said. */
	if (text != NULL && smtpd__dsn_param_notify_parse(text, &notify) == -1)
		notify = 0;
	return smtpd__dsn_param_is_wanted(notify, b->action);
}

bool
smtpd__bounce_is_wanted(const struct smtpd_bounce *b)
{
	if (b->nrcpts == 0 || b->loaded->envelope.sender[0] == '\0')
		return false;
	if (b->action == SMTPD_DSN_DELAYED &&
	    (b->flags & SMTPD_MESSAGE_AUTOMATIC) != 0)
		return false;
	for (size_t i = 0; i < b->nrcpts; i++)
		if (wants_report(b, &b->rcpts[i]))
			return true;
	return false;
}

static void
add_rcpt(struct smtpd_bounce_hold *m, const struct smtpd_bounce *b,
    const struct smtpd_rcpt_progress *r)
{
	const struct smtpd_outgoing_rcpt *rcpt =
	    &b->loaded->envelope.rcpts[r->rcpt];
	size_t n = m->report.nrcpts++;
	/* A host that was not reached has said nothing. */
	bool reached = r->host[0] != '\0' &&
	    (r->result.code != 0 || r->result.phase != SMTPD_PHASE_CONNECT);
	struct smtpd_text text;

	smtpd__text_init(&text, m->diagnostics[n], sizeof(m->diagnostics[n]));
	if (r->result.code != 0)
		smtpd__text_format(&text, "%d ", r->result.code);
	else if (!reached && r->host[0] != '\0')
		smtpd__text_format(&text, "%s: ", r->host);
	/* Why is not for the sender to know. */
	smtpd__text_add(&text,
	    smtpd__result_is_held(&r->result)
		? "the login there fails, which its operator has to mend"
		: r->result.text);
	m->rcpts[n] = (struct smtpd_dsn_rcpt){
		.address = rcpt->address,
		.original = rcpt->orcpt,
		.action = r->delivered ? SMTPD_DSN_DELIVERED : b->action,
		.status = r->result.status,
		/* A socket of this host has no name in the DNS. */
		.remote = reached && r->host[0] != '/' ? r->host : NULL,
		.diagnostic = m->diagnostics[n],
		.remote_said = r->result.code != 0,
		.last_attempt = (time_t)(r->tried_ms / 1000),
		.attempts = r->expired ? b->attempts : 0,
		.in_doubt = r->in_doubt,
	};
	if (m->count > 1)
		m->rcpts[n].about = &m->originals[b - m->bounces].about;
}

/* RET= speaks of failures alone (RFC 3461, 4.3). */
static bool
is_returned_whole(const struct smtpd_bounce *b)
{
	enum smtpd_ret ret = SMTPD_RET_UNSAID;

	/* The body must not leave by another way (RFC 8689, 5). */
	if (b->action != SMTPD_DSN_FAILED || b->loaded->envelope.requiretls)
		return false;
	if (b->loaded->envelope.ret != NULL &&
	    smtpd__dsn_param_ret_parse(b->loaded->envelope.ret, &ret) == -1)
		ret = SMTPD_RET_UNSAID;
	if (ret == SMTPD_RET_HDRS)
		return false;
	return b->loaded->size <=
	    (ret == SMTPD_RET_FULL ? FULL_MAX : WHOLE_MAX);
}

/* Gather the INFO of LEN bytes at DATA of an original.  Return true if its
 * header ended. */
static bool
scan_block(struct smtpd_header_info *info, struct smtpd_fields *fields,
    const char *data, size_t len)
{
	struct smtpd_piece piece;
	bool over = false;

	while (smtpd__fields_next(fields, &data, &len, &piece) !=
	    SMTPD_FIELDS_NONE) {
		smtpd__header_info_add(info, &piece);
		over = over || piece.part == SMTPD_FIELDS_END ||
		    piece.part == SMTPD_FIELDS_BODY;
	}
	return over;
}

/* Gather the INFO of the original L, as far as it is returned and can be
 * read. */
static void
scan_original(const struct smtpd_loaded_message *l, bool whole,
    struct smtpd_header_info *info)
{
	struct smtpd_fields fields;
	struct smtpd_piece end = { .part = SMTPD_FIELDS_NONE };
	char block[BLOCK_SIZE];
	uint64_t at = 0;
	bool over = false;
	ssize_t n;

	smtpd__header_info_init(info);
	smtpd__fields_init(&fields);
	while ((whole || !over) &&
	    (n = smtpd__loaded_message_read(l, at, block, sizeof(block))) > 0) {
		over |= scan_block(info, &fields, block, (size_t)n);
		at += (uint64_t)n;
	}
	smtpd__fields_close(&fields);
	scan_block(info, &fields, "", 0);
	smtpd__header_info_add(info, &end);
}

/* Describe message number I, and those of its recipients that are reported. */
static void
add_message(struct smtpd_bounce_hold *m, size_t i)
{
	const struct smtpd_bounce *b = &m->bounces[i];
	struct original *o = &m->originals[i];

	scan_original(b->loaded, m->report.whole, &o->info);
	smtpd__id_write(b->loaded->id, o->id);
	o->about = (struct smtpd_dsn_original){
		.id = o->id,
		.subject = o->info.subject,
		.date = o->info.date_text,
	};
	for (size_t k = 0; k < b->nrcpts; k++)
		if (wants_report(b, &b->rcpts[k]))
			add_rcpt(m, b, &b->rcpts[k]);
}

static int
fill_report(struct smtpd_bounce_hold *m, struct smtpd_spool *spool)
{
	const struct smtpd_bounce *b = &m->bounces[0];
	struct smtpd_dsn_report *r = &m->report;
	const struct smtpd_header_info *info = &m->originals[0].info;

	m->own_id = smtpd__spool_choose_id(spool, 0);
	smtpd__id_write(m->own_id, m->unique);
	*r = (struct smtpd_dsn_report){
		.hostname = b->hostname,
		.to = b->loaded->envelope.sender,
		.postmaster = b->postmaster,
		.others = m->count - 1,
		.unique = m->unique,
		.arrival = (time_t)(b->loaded->arrived_ms / 1000),
		.now = (time_t)(b->now_ms / 1000),
		.whole = m->count == 1 && is_returned_whole(b),
		.rcpts = m->rcpts,
	};
	if (b->action == SMTPD_DSN_DELAYED)
		r->retry_until = (time_t)(b->until_ms / 1000);
	for (size_t i = 0; i < m->count; i++)
		add_message(m, i);
	r->about = m->originals[0].about;
	r->eight_bit = r->whole ? info->eight_bit : info->eight_bit_header;
	r->global = b->loaded->envelope.utf8 && info->eight_bit_header;
	r->utf8 = smtpd__address_key_needs_utf8(r->to);
	r->tls_optional = b->loaded->envelope.tls_optional;
	if (m->count == 1) {
		r->envid = b->loaded->envelope.envid;
		r->references = info->id;
	}
	if (smtpd__random_bytes(r->secret, sizeof(r->secret)))
		return 0;
	errno = EAGAIN;
	return -1;
}

/* Write a piece of the original, coded as the report says. */
static int
write_original(struct smtpd_bounce_hold *m, const char *data, size_t len)
{
	if (smtpd__dsn_is_quoted(&m->report))
		return smtpd__quoted_printable_feed(&m->quoted, data, len);
	return smtpd__sign_write(&m->sign, data, len);
}

/* Copy the original, or its header, as far as it can be read: a read error must
 * not suppress the report. */
static int
copy_original(struct smtpd_bounce_hold *m)
{
	const struct smtpd_loaded_message *l = m->bounces[0].loaded;
	struct smtpd_fields fields;
	char block[BLOCK_SIZE];
	uint64_t at = 0;
	bool more = true;
	ssize_t n;

	smtpd__quoted_printable_init(&m->quoted, smtpd__sign_write, &m->sign);
	smtpd__fields_init(&fields);
	while (more &&
	    (n = smtpd__loaded_message_read(l, at, block, sizeof(block))) > 0) {
		const char *data = block;
		size_t len = (size_t)n;
		struct smtpd_piece piece;

		at += len;
		if (m->report.whole && write_original(m, data, len) == -1)
			return -1;
		while (!m->report.whole && more &&
		    smtpd__fields_next(&fields, &data, &len, &piece) !=
			SMTPD_FIELDS_NONE) {
			more = piece.part != SMTPD_FIELDS_END &&
			    piece.part != SMTPD_FIELDS_BODY;
			if (more &&
			    write_original(m, piece.data, piece.len) == -1)
				return -1;
		}
	}
	return smtpd__quoted_printable_end(&m->quoted);
}

/* Write the report to a new content, signed if SIGNING is not NULL.  Return 0,
 * or -1 with errno, EIO also when its key failed. */
static int
write_report(struct smtpd_bounce_hold *m, struct smtpd_spool *spool,
    struct smtpd_signing *signing)
{
	int status = -1;
	int error;

	m->content = smtpd__spool_content_create(spool);
	if (m->content == NULL)
		return -1;
	if (smtpd__sign_begin(&m->sign, signing, m->own_id, m->content) == 0 &&
	    smtpd__dsn_begin(&m->report, smtpd__sign_write, &m->sign) == 0 &&
	    copy_original(m) == 0 &&
	    smtpd__dsn_end(&m->report, smtpd__sign_write, &m->sign) == 0)
		status = smtpd__sign_end(&m->sign);
	error = errno;
	smtpd__sign_finish(&m->sign);
	if (status == -1) {
		smtpd__spool_content_destroy(m->content);
		m->content = NULL;
	}
	errno = error;
	return status;
}

int
smtpd__bounce_write(const struct smtpd_bounce *bounces, size_t count,
    struct smtpd_spool *spool, struct smtpd_spool_mail *mail,
    struct smtpd_bounce_hold **hold)
{
	struct smtpd_bounce_hold *m;
	size_t nrcpts = 0;

	for (size_t i = 0; i < count; i++)
		nrcpts += bounces[i].nrcpts;
	m = calloc(1,
	    sizeof(*m) + sizeof(*m->originals) * count +
		(sizeof(*m->rcpts) + sizeof(*m->diagnostics)) * nrcpts);
	*hold = m;
	if (m == NULL)
		return -1;
	m->bounces = bounces;
	m->count = count;
	m->originals = (void *)(m + 1);
	m->rcpts = (void *)(m->originals + count);
	m->diagnostics = (void *)(m->rcpts + nrcpts);
	m->to = (struct smtpd_outgoing_rcpt){ SMTPD_OUTGOING_RCPT_INIT,
		.address = bounces[0].loaded->envelope.sender };
	smtpd__arena_init(&m->arena, NULL, 0, SIZE_MAX);
	if (fill_report(m, spool) == -1)
		return -1;
	/* A report must not be lost for want of a signature. */
	if (write_report(m, spool, bounces[0].signing) == -1 &&
	    (bounces[0].signing == NULL || write_report(m, spool, NULL) == -1))
		return -1;
	*mail = (struct smtpd_spool_mail){
		.id = m->own_id,
		.envelope = {
			SMTPD_OUTGOING_ENVELOPE_INIT,
			.sender = "",
			.rcpts = &m->to,
			.nrcpts = 1,
			.eight_bit = smtpd__dsn_is_eight_bit(&m->report),
			.long_lines = m->report.whole &&
			    m->bounces[0].loaded->envelope.long_lines,
			.utf8 = m->report.utf8,
			.tls_optional = m->report.tls_optional,
		},
		.flags = SMTPD_MESSAGE_AUTOMATIC,
		.content = m->content,
	};
	/* What cannot be expanded must not suppress the report. */
	if (bounces[0].settings != NULL)
		smtpd__expand_envelope(
		    bounces[0].settings, &m->arena, &mail->envelope);
	return 0;
}

void
smtpd__bounce_free(struct smtpd_bounce_hold *hold)
{
	if (hold != NULL)
		smtpd__arena_reset(&hold->arena);
	free(hold);
}
