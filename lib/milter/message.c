/* SPDX-License-Identifier: MIT */
#include "milter/message.h"

#include <errno.h>
#include <string.h>

#include "milter/apply.h"
#include "milter/session.h"

/* Octets of a field's value that a milter is told: with its name they must fit
 * in a packet. */
#define VALUE_MAX (SMTPD_PACKET_DATA_MAX - SMTPD_FIELD_NAME_MAX - 2)

int
smtpd__milter_message_begin(struct smtpd_session *s,
    const struct smtpd_envelope *envelope, struct smtpd_body *body, void *user)
{
	struct smtpd_milter_session *ms = smtpd__milter_session_get(s, user);

	(void)envelope;
	(void)body;
	if (ms == NULL)
		return smtpd_reply(
		    s, 451, "4.3.0", "Out of memory, try again later");
	if (ms->state == SMTPD_MILTER_BROKEN)
		return smtpd__milter_session_fail(ms);
	smtpd__fields_init(&ms->message.fields);
	if (ms->state != SMTPD_MILTER_ASKED)
		return 0;
	return smtpd__milter_session_act(
	    ms, smtpd__conversation_data(&ms->talk));
}

/* Write the value without its last line end, and LF for the others, in its
 * place. */
static void
unfold_value(struct smtpd_pack *value)
{
	size_t kept = 0;

	for (size_t i = 0; i < value->len; i++)
		if (value->data[i] != '\r' || i + 1 == value->len ||
		    value->data[i + 1] != '\n')
			value->data[kept++] = value->data[i];
	while (kept > 0 && value->data[kept - 1] == '\n')
		kept--;
	value->len = kept;
}

/* A field is over: tell it. */
static int
end_field(struct smtpd_milter_session *ms)
{
	struct smtpd_milter_message *m = &ms->message;
	int code;

	if (m->name[0] == '\0')
		return 0;
	unfold_value(&m->value);
	if (m->value.failed)
		return smtpd_reply(ms->session, 451, "4.3.0",
		    "Out of memory, try again later");
	code = smtpd__milter_session_act(ms,
	    smtpd__conversation_header(
		&ms->talk, m->name, (const char *)m->value.data, m->value.len));
	m->name[0] = '\0';
	m->value.len = 0;
	return code;
}

static int
begin_field(struct smtpd_milter_session *ms, const struct smtpd_piece *p)
{
	struct smtpd_milter_message *m = &ms->message;
	size_t len = smtpd__fields_name_len(p);
	int code = end_field(ms);

	memcpy(m->name, p->data, len);
	m->name[len] = '\0';
	/* So that there is memory for an empty value too. */
	smtpd__pack_bytes(&m->value, "", 1);
	m->value.len = 0;
	return code;
}

static int
add_value(struct smtpd_milter_session *ms, const struct smtpd_piece *p)
{
	struct smtpd_milter_message *m = &ms->message;

	if (m->value.len + p->len > VALUE_MAX)
		return smtpd_reply(ms->session, 552, "5.3.4",
		    "A field of the header is too long to be checked");
	smtpd__pack_bytes(&m->value, p->data, p->len);
	return 0;
}

static int
end_header(struct smtpd_milter_session *ms)
{
	int code = end_field(ms);

	ms->message.header_over = true;
	if (code != 0 || ms->state != SMTPD_MILTER_ASKED)
		return code;
	return smtpd__milter_session_act(
	    ms, smtpd__conversation_eoh(&ms->talk));
}

/* Tell what was collected of the body. */
static int
end_chunk(struct smtpd_milter_session *ms)
{
	struct smtpd_milter_message *m = &ms->message;
	enum smtpd_decision_kind kind;

	if (m->chunk.failed)
		return smtpd_reply(ms->session, 451, "4.3.0",
		    "Out of memory, try again later");
	if (m->chunk.len == 0 || m->body_skipped)
		return 0;
	kind = smtpd__conversation_body(
	    &ms->talk, (const char *)m->chunk.data, m->chunk.len);
	m->chunk.len = 0;
	m->body_skipped = kind == SMTPD_DECISION_SKIP;
	return smtpd__milter_session_act(ms, kind);
}

static int
add_body(struct smtpd_milter_session *ms, const char *data, size_t len)
{
	struct smtpd_milter_message *m = &ms->message;
	int code = 0;

	while (code == 0 && len > 0 && ms->state == SMTPD_MILTER_ASKED &&
	    !m->body_skipped) {
		size_t n = SMTPD_PACKET_DATA_MAX - m->chunk.len;

		if (n > len)
			n = len;
		smtpd__pack_bytes(&m->chunk, data, n);
		data += n;
		len -= n;
		if (m->chunk.failed || m->chunk.len == SMTPD_PACKET_DATA_MAX)
			code = end_chunk(ms);
	}
	return code;
}

static int
add_piece(struct smtpd_milter_session *ms, const struct smtpd_piece *p)
{
	switch (p->part) {
	case SMTPD_FIELDS_NAME:
		return begin_field(ms, p);
	case SMTPD_FIELDS_VALUE:
		return add_value(ms, p);
	case SMTPD_FIELDS_END:
		return end_header(ms);
	case SMTPD_FIELDS_BODY:
		return add_body(ms, p->data, p->len);
	case SMTPD_FIELDS_NONE:
		break;
	}
	return 0;
}

/* Tell what LEN bytes at DATA complete. */
static int
add_data(struct smtpd_milter_session *ms, const char *data, size_t len)
{
	struct smtpd_piece p;
	int code = 0;

	while (code == 0 && ms->state == SMTPD_MILTER_ASKED &&
	    smtpd__fields_next(&ms->message.fields, &data, &len, &p) !=
		SMTPD_FIELDS_NONE)
		code = add_piece(ms, &p);
	return code;
}

int
smtpd__milter_message_data(struct smtpd_session *s, struct smtpd_body *body,
    const void *data, size_t len, void *user)
{
	struct smtpd_milter_session *ms = smtpd_session_attached(s, user);

	(void)body;
	if (ms->state != SMTPD_MILTER_ASKED)
		return 0;
	if (ms->message.header_over)
		return add_body(ms, data, len);
	return add_data(ms, data, len);
}

/* Tell what was kept back. */
static int
flush_message(struct smtpd_milter_session *ms)
{
	int code;

	smtpd__fields_close(&ms->message.fields);
	code = add_data(ms, "", 0);
	if (code == 0 && ms->state == SMTPD_MILTER_ASKED &&
	    !ms->message.header_over)
		code = end_header(ms);
	if (code == 0 && ms->state == SMTPD_MILTER_ASKED)
		code = end_chunk(ms);
	return code;
}

/* A piece of a new body. */
static int
replace_body(void *user, const char *data, size_t len)
{
	const struct smtpd_milter_session *ms = user;

	return smtpd_session_replace_body(ms->session, data, len);
}

/* Ask for the last decision, and make the changes that came with it. */
static int
judge_message(struct smtpd_milter_session *ms)
{
	struct smtpd_changes changes = { 0 };
	const enum smtpd_decision_kind kind =
	    smtpd__conversation_end(&ms->talk, &changes, replace_body, ms);
	int code;

	if (kind != SMTPD_DECISION_CONTINUE && kind != SMTPD_DECISION_ACCEPT)
		smtpd_session_keep_body(ms->session);
	code = smtpd__milter_session_act(ms, kind);
	if (kind == SMTPD_DECISION_CONTINUE || kind == SMTPD_DECISION_ACCEPT)
		code = smtpd__apply_changes(ms, &changes);
	smtpd__changes_finish(&changes);
	return code;
}

int
smtpd__milter_message_end(
    struct smtpd_session *s, struct smtpd_body *body, void *user)
{
	struct smtpd_milter_session *ms = smtpd_session_attached(s, user);
	int code = 0;

	(void)body;
	if (ms->state == SMTPD_MILTER_ASKED)
		code = flush_message(ms);
	if (code == 0 && ms->state == SMTPD_MILTER_ASKED)
		code = judge_message(ms);
	if (code == 0 && ms->state == SMTPD_MILTER_DROPPED)
		smtpd_session_discard(s);
	return code;
}
