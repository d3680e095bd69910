/* SPDX-License-Identifier: MIT */
#include "queue/delivery/bounce.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/id.h"
#include "grammar/dsn.h"
#include "grammar/fields.h"
#include "grammar/header_info.h"
#include "os/random.h"

/* A failed message of up to so many octets is returned whole, unless the sender
 * wants its header only; of up to the second, if the sender wants it whole. */
#define WHOLE_MAX 50000
#define FULL_MAX  1048576

#define BLOCK_SIZE 16384

/* The codes before a reason: "450 4.2.0 ". */
#define CODES_SIZE 32

/* For so long a sender's reports are counted together. */
#define WINDOW_MS UINT64_C(60000)

/* Windows that a report waits at most before its turn is asked for again. */
#define LATER_MAX 60

/* A report while it is made, with its tables behind it. */
struct making {
	const struct smtpd_bounce *bounce;
	struct smtpd_spool_content *content;
	struct smtpd_outgoing_rcpt to;
	struct smtpd_dsn_report report;
	struct smtpd_header_info info; /* of the original */
	char id[SMTPD_ID_SIZE];
	uint64_t own_id;
	char unique[SMTPD_ID_SIZE]; /* own_id */
	char (*diagnostics)[CODES_SIZE + SMTPD_REASON_SIZE];
	struct smtpd_dsn_rcpt rcpts[];
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
add_rcpt(struct making *m, const struct smtpd_rcpt_progress *r)
{
	const struct smtpd_bounce *b = m->bounce;
	const struct smtpd_outgoing_rcpt *rcpt =
	    &b->loaded->envelope.rcpts[r->rcpt];
	size_t n = m->report.nrcpts++;
	char code[CODES_SIZE] = "";

	if (r->result.code != 0)
		snprintf(code, sizeof(code), "%d ", r->result.code);
	snprintf(m->diagnostics[n], sizeof(m->diagnostics[n]), "%s%s", code,
	    r->result.text);
	m->rcpts[n] = (struct smtpd_dsn_rcpt){
		.address = rcpt->address,
		.original = rcpt->orcpt,
		.action = b->action,
		.status = r->result.status,
		.remote = r->host[0] != '\0' ? r->host : NULL,
		.diagnostic = m->diagnostics[n],
		.remote_said = r->result.code != 0,
		.last_attempt = (time_t)(b->now_ms / 1000),
	};
}

/* RET= speaks of failures alone (RFC 3461, 4.3). */
static bool
is_returned_whole(const struct smtpd_bounce *b)
{
	enum smtpd_ret ret = SMTPD_RET_UNSAID;

	if (b->action != SMTPD_DSN_FAILED)
		return false;
	if (b->loaded->envelope.ret != NULL &&
	    smtpd__dsn_param_ret_parse(b->loaded->envelope.ret, &ret) == -1)
		ret = SMTPD_RET_UNSAID;
	if (ret == SMTPD_RET_HDRS)
		return false;
	return b->loaded->size <=
	    (ret == SMTPD_RET_FULL ? FULL_MAX : WHOLE_MAX);
}

/* Gather the info of LEN bytes at DATA of the original.  Return true if its
 * header ended. */
static bool
scan_block(
    struct making *m, struct smtpd_fields *fields, const char *data, size_t len)
{
	struct smtpd_piece piece;
	bool over = false;

	while (smtpd__fields_next(fields, &data, &len, &piece) !=
	    SMTPD_FIELDS_NONE) {
		smtpd__header_info_add(&m->info, &piece);
		over = over || piece.part == SMTPD_FIELDS_END ||
		    piece.part == SMTPD_FIELDS_BODY;
	}
	return over;
}

/* Gather the info of the original, as far as it is returned and can be read. */
static void
scan_original(struct making *m, bool whole)
{
	const struct smtpd_loaded_message *l = m->bounce->loaded;
	struct smtpd_fields fields;
	struct smtpd_piece end = { .part = SMTPD_FIELDS_NONE };
	char block[BLOCK_SIZE];
	uint64_t at = 0;
	bool over = false;
	ssize_t n;

	smtpd__header_info_init(&m->info);
	smtpd__fields_init(&fields);
	while ((whole || !over) &&
	    (n = smtpd__loaded_message_read(l, at, block, sizeof(block))) > 0) {
		over |= scan_block(m, &fields, block, (size_t)n);
		at += (uint64_t)n;
	}
	smtpd__fields_close(&fields);
	scan_block(m, &fields, "", 0);
	smtpd__header_info_add(&m->info, &end);
}

static int
fill_report(struct making *m, struct smtpd_spool *spool)
{
	const struct smtpd_bounce *b = m->bounce;
	struct smtpd_dsn_report *r = &m->report;

	scan_original(m, is_returned_whole(b));
	smtpd__id_write(b->loaded->id, m->id);
	m->own_id = smtpd__spool_choose_id(spool, 0);
	smtpd__id_write(m->own_id, m->unique);
	*r = (struct smtpd_dsn_report){
		.hostname = b->hostname,
		.to = b->loaded->envelope.sender,
		.id = m->id,
		.unique = m->unique,
		.envid = b->loaded->envelope.envid,
		.references = m->info.id,
		.arrival = (time_t)(b->loaded->arrived_ms / 1000),
		.now = (time_t)(b->now_ms / 1000),
		.whole = is_returned_whole(b),
		.rcpts = m->rcpts,
	};
	if (b->action == SMTPD_DSN_DELAYED)
		r->retry_until = (time_t)(b->until_ms / 1000);
	r->eight_bit = r->whole ? m->info.eight_bit : m->info.eight_bit_header;
	for (size_t i = 0; i < b->nrcpts; i++)
		if (wants_report(b, &b->rcpts[i]))
			add_rcpt(m, &b->rcpts[i]);
	if (smtpd__random_bytes(r->secret, sizeof(r->secret)))
		return 0;
	errno = EAGAIN;
	return -1;
}

static int
write_content(void *content, const void *data, size_t len)
{
	return smtpd__spool_content_write(content, data, len);
}

/* Copy the original, or its header, as far as it can be read: a read error must
 * not suppress the report. */
static int
copy_original(struct making *m)
{
	const struct smtpd_loaded_message *l = m->bounce->loaded;
	struct smtpd_fields fields;
	char block[BLOCK_SIZE];
	uint64_t at = 0;
	bool more = true;
	ssize_t n;

	smtpd__fields_init(&fields);
	while (more &&
	    (n = smtpd__loaded_message_read(l, at, block, sizeof(block))) > 0) {
		const char *data = block;
		size_t len = (size_t)n;
		struct smtpd_piece piece;

		at += len;
		if (m->report.whole &&
		    write_content(m->content, data, len) == -1)
			return -1;
		while (!m->report.whole && more &&
		    smtpd__fields_next(&fields, &data, &len, &piece) !=
			SMTPD_FIELDS_NONE) {
			more = piece.part != SMTPD_FIELDS_END &&
			    piece.part != SMTPD_FIELDS_BODY;
			if (more &&
			    write_content(m->content, piece.data, piece.len) ==
				-1)
				return -1;
		}
	}
	return 0;
}

int
smtpd__bounce_write(const struct smtpd_bounce *b, struct smtpd_spool *spool,
    struct smtpd_spool_mail *mail, void **hold)
{
	size_t table = sizeof(struct smtpd_dsn_rcpt) * b->nrcpts;
	struct making *m =
	    calloc(1, sizeof(*m) + table + sizeof(*m->diagnostics) * b->nrcpts);

	*hold = m;
	if (m == NULL)
		return -1;
	m->bounce = b;
	m->diagnostics = (void *)(m->rcpts + b->nrcpts);
	m->to.address = b->loaded->envelope.sender;
	if (fill_report(m, spool) == -1 ||
	    (m->content = smtpd__spool_content_create(spool)) == NULL ||
	    smtpd__dsn_begin(&m->report, write_content, m->content) == -1 ||
	    copy_original(m) == -1 ||
	    smtpd__dsn_end(&m->report, write_content, m->content) == -1) {
		smtpd__spool_content_destroy(m->content);
		return -1;
	}
	*mail = (struct smtpd_spool_mail){
		.id = m->own_id,
		.envelope = {
			SMTPD_OUTGOING_ENVELOPE_INIT,
			.sender = "",
			.rcpts = &m->to,
			.nrcpts = 1,
			.eight_bit = m->report.eight_bit,
		},
		.flags = SMTPD_MESSAGE_AUTOMATIC,
		.content = m->content,
	};
	return 0;
}

uint64_t
smtpd__bounce_limit_wait(struct smtpd_bounce_limit *l, uint32_t max,
    const char *sender, uint64_t now)
{
	const size_t nslots = sizeof(l->slots) / sizeof(l->slots[0]);
	uint32_t hash = smtpd__hash_text_lower(SMTPD_HASH_START, sender);
	size_t slot = hash % nslots;
	uint64_t since = l->slots[slot].since;
	uint32_t count = l->slots[slot].count;
	uint64_t later;

	if (count == 0 || now - since >= WINDOW_MS) {
		l->slots[slot].since = since = now;
		count = 0;
	}
	/* The last of all turns is there for any number. */
	if (count < UINT32_MAX)
		l->slots[slot].count = count + 1;
	if (count < max)
		return 0;
	later = max == 0 ? 1 : count / max;
	return since + (later < LATER_MAX ? later : LATER_MAX) * WINDOW_MS -
	    now;
}
