/* SPDX-License-Identifier: MIT */
#include "queue/submit.h"

#include <smtpd/address.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/id.h"
#include "base/sized.h"
#include "base/text.h"
#include "base/utf8.h"
#include "grammar/address_field.h"
#include "grammar/date.h"
#include "grammar/dsn_param.h"
#include "os/clock.h"
#include "queue/delivery/dispatch.h"
#include "queue/delivery/expand.h"
#include "queue/settings.h"
#include "queue/seven_bit.h"

/* Return true if TEXT is header fields: lines that CRLF ends, each the begin of
 * a field, which is its name and a colon (RFC 5322, 2.2), or folded behind
 * one. */
static bool
is_header_text(const char *text)
{
	bool in_field = false;

	while (*text != '\0') {
		size_t len = strcspn(text, "\r\n");
		bool folded = in_field && (text[0] == ' ' || text[0] == '\t');
		size_t name = 0;

		while (name < len && text[name] > ' ' && text[name] <= '~' &&
		    text[name] != ':')
			name++;
		if (strncmp(text + len, "\r\n", 2) != 0 ||
		    (!folded && (name == 0 || text[name] != ':')))
			return false;
		for (size_t i = 0; i < len; i++)
			if (text[i] != '\t' &&
			    smtpd__text_is_control((unsigned char)text[i]))
				return false;
		in_field = true;
		text += len + 2;
	}
	return true;
}

/* Copy TEXT, unless it is NULL, to *OUT.  Return 0, or -1 without memory. */
static int
copy_text(struct smtpd_queue_message *m, const char *text, const char **out)
{
	*out = NULL;
	if (text != NULL)
		*out = smtpd__arena_text(&m->arena, text, strlen(text));
	return text == NULL || *out != NULL ? 0 : -1;
}

/* The domains that addresses get (SMTPD_FIX_ADDRESSES). */
static struct smtpd_address_domains
own_domains(const struct smtpd_queue *q)
{
	return (struct smtpd_address_domains){
		.domain = q->local_domain,
		.hidden = q->masquerade[0] != '\0' ? q->masquerade : NULL,
		.host = q->delivery.hostname,
	};
}

const char *
smtpd__submit_complete(const struct smtpd_queue *q, const char *text,
    bool sender, char *buf, size_t size)
{
	const struct smtpd_address_domains domains = own_domains(q);
	const char *quoted = strrchr(text, '"');
	const char *at = strchr(quoted != NULL ? quoted : text, '@');
	size_t len = at != NULL ? (size_t)(at - text) : strlen(text);
	const char *old = at != NULL ? at + 1 : "";
	const char *domain =
	    smtpd__address_field_domain(&domains, sender, old, strlen(old));
	int n;

	if (domain == NULL)
		return text;
	n = snprintf(buf, size, "%.*s@%s", (int)len, text, domain);
	return n >= 0 && (size_t)n < size ? buf : NULL;
}

/* Copy TEXT, an address that can be sent and reported to, as the grammar has
 * it, to *OUT.  Return 0, or an errno. */
static int
copy_address(struct smtpd_queue_message *m, const char *text, bool sender,
    const char **out)
{
	char whole[SMTPD_ADDRESS_MAX], buf[SMTPD_ADDRESS_MAX];
	struct smtpd_address a;

	if (text != NULL && (m->fix & SMTPD_FIX_ADDRESSES) != 0)
		text = smtpd__submit_complete(
		    m->queue, text, sender, whole, sizeof(whole));
	if (text == NULL ||
	    smtpd_address_parse(text, buf, sizeof(buf), &a) == -1)
		return EINVAL;
	return copy_text(m, a.text, out) == 0 ? 0 : ENOMEM;
}

/* Check and copy recipient I of E to OUT.  Return 0, or an errno. */
static int
copy_rcpt(struct smtpd_queue_message *m,
    const struct smtpd_outgoing_envelope *e, size_t i,
    struct smtpd_outgoing_rcpt *out)
{
	struct smtpd_outgoing_rcpt r;

	if (smtpd__sized_copy_nth(&r, sizeof(r), e->rcpts, i) == -1 ||
	    (r.notify != NULL &&
		!smtpd__dsn_param_is_valid("NOTIFY", r.notify)) ||
	    (r.orcpt != NULL && !smtpd__dsn_param_is_valid("ORCPT", r.orcpt)))
		return EINVAL;
	*out = r;
	if (copy_text(m, r.notify, &out->notify) == -1 ||
	    copy_text(m, r.orcpt, &out->orcpt) == -1)
		return ENOMEM;
	return copy_address(m, r.address, false, &out->address);
}

/* Check and copy the envelope GIVEN.  Return 0, or an errno. */
static int
copy_envelope(
    struct smtpd_queue_message *m, const struct smtpd_outgoing_envelope *given)
{
	struct smtpd_outgoing_envelope *out = &m->mail.envelope;
	struct smtpd_outgoing_envelope e;
	struct smtpd_outgoing_rcpt *rcpts;
	int error = 0;

	if (given == NULL || smtpd__sized_copy(&e, sizeof(e), given) == -1 ||
	    e.nrcpts == 0 || e.rcpts == NULL || e.sender == NULL ||
	    (e.ret != NULL && !smtpd__dsn_param_is_valid("RET", e.ret)) ||
	    (e.envid != NULL && !smtpd__dsn_param_is_valid("ENVID", e.envid)))
		return EINVAL;
	rcpts = smtpd__arena_alloc(&m->arena, e.nrcpts * sizeof(*rcpts));
	*out = e;
	out->rcpts = rcpts;
	if (rcpts == NULL || copy_text(m, e.ret, &out->ret) == -1 ||
	    copy_text(m, e.envid, &out->envid) == -1)
		return ENOMEM;
	if (e.sender[0] == '\0')
		out->sender = "";
	else
		error = copy_address(m, e.sender, true, &out->sender);
	for (size_t i = 0; i < e.nrcpts && error == 0; i++)
		error = copy_rcpt(m, &e, i, &rcpts[i]);
	if (error == 0 &&
	    (smtpd__expand_envelope(
		 &m->queue->delivery.settings, &m->arena, out) == -1 ||
		smtpd__spool_add_check(m->queue->delivery.spool, out) == -1))
		error = errno;
	return error;
}

/* Look for bytes outside ASCII in the header of a part: like those of the
 * message's own they need SMTPUTF8 (RFC 6532). */
static void
look_at_part(
    void *user, enum smtpd_mime_piece piece, const char *data, size_t len)
{
	struct smtpd_queue_message *m = user;

	if ((piece == SMTPD_MIME_FIELD || piece == SMTPD_MIME_FIELD_MORE) &&
	    !m->parts->is_message && !smtpd__text_is_ascii(data, len))
		m->eight_bit_part = true;
}

/* The header_edit writes to this, and this to what signs. */
static int
write_content(void *user, const void *data, size_t len)
{
	struct smtpd_queue_message *m = user;

	if (m->parts != NULL)
		smtpd__mime_scan_feed(m->parts, data, len);
	return smtpd__sign_write(&m->sign, data, len);
}

/* Begin to look at the parts, where that may matter.  Return 0, or an errno. */
static int
begin_parts(struct smtpd_queue_message *m)
{
	if (!m->mail.envelope.utf8)
		return 0;
	m->parts = malloc(sizeof(*m->parts));
	if (m->parts == NULL)
		return ENOMEM;
	smtpd__mime_scan_init(m->parts, look_at_part, m);
	return 0;
}

/* Begin to edit the header, as FIX says. */
static void
begin_edit(struct smtpd_queue_message *m, unsigned fix)
{
	char id[SMTPD_ID_SIZE];
	struct smtpd_header_wants wants = {
		.drop_bcc = (fix & SMTPD_FIX_BCC) != 0,
	};

	if ((fix & SMTPD_FIX_ADDRESSES) != 0)
		wants.domains = own_domains(m->queue);
	if ((fix & SMTPD_FIX_DATE) != 0) {
		smtpd__date_write(
		    (time_t)(smtpd__clock_wall_ms() / 1000), m->date);
		wants.date = m->date;
	}
	if ((fix & SMTPD_FIX_MESSAGE_ID) != 0) {
		smtpd__id_write(m->mail.id, id);
		snprintf(m->message_id, sizeof(m->message_id), "<%s@%s>", id,
		    m->queue->delivery.hostname);
		wants.message_id = m->message_id;
	}
	smtpd__header_edit_init(&m->edit, &wants, write_content, m);
}

/* Return true if OPTIONS are ones that there can be, and copy them to O. */
static bool
copy_options(
    const struct smtpd_queue_options *given, struct smtpd_queue_options *o)
{
	return smtpd__sized_copy(o, sizeof(*o), given) == 0 &&
	    smtpd__queue_settings_is_fix(o->fix) &&
	    (o->trace == NULL ||
		(is_header_text(o->trace) &&
		    smtpd__utf8_is_valid(o->trace, strlen(o->trace))));
}

/* Begin the content of M as O says.  Return 0, or an errno. */
static int
begin_content(
    struct smtpd_queue_message *m, const struct smtpd_queue_options *o)
{
	struct smtpd_spool *spool = m->queue->delivery.spool;

	if (!smtpd_queue_has_room(m->queue, 0))
		return ENOSPC;
	if (o->hold)
		m->mail.flags |= SMTPD_MESSAGE_HELD;
	if (o->id == NULL || smtpd__id_parse(o->id, &m->mail.id) == -1)
		m->mail.id = 0;
	m->mail.id = smtpd__spool_choose_id(spool, m->mail.id);
	m->mail.content = smtpd__spool_content_create(spool);
	if (m->mail.content == NULL)
		return ENOMEM;
	if (smtpd__sign_begin(&m->sign, &m->queue->delivery.signing, m->mail.id,
		m->mail.content) == -1)
		return errno;
	begin_edit(m, o->fix);
	if (o->trace == NULL)
		return 0;
	if (!smtpd__text_is_ascii(o->trace, strlen(o->trace)))
		m->edit.info.eight_bit = m->edit.info.eight_bit_header = true;
	if (smtpd__sign_write(&m->sign, o->trace, strlen(o->trace)) == -1)
		return errno;
	return 0;
}

struct smtpd_queue_message *
smtpd_queue_begin(struct smtpd_queue *q,
    const struct smtpd_outgoing_envelope *envelope,
    const struct smtpd_queue_options *options)
{
	struct smtpd_queue_message *m;
	struct smtpd_queue_options o;
	int error;

	if (!copy_options(options, &o)) {
		errno = EINVAL;
		return NULL;
	}
	m = malloc(sizeof(*m));
	if (m == NULL)
		return NULL;
	m->queue = q;
	m->fix = o.fix;
	m->mail = (struct smtpd_spool_mail){ .content = NULL };
	m->parts = NULL;
	m->eight_bit_part = false;
	m->sign = (struct smtpd_sign){ .content = NULL };
	smtpd__arena_init(&m->arena, NULL, 0, SIZE_MAX);
	error = copy_envelope(m, envelope);
	if (error == 0)
		error = begin_parts(m);
	if (error == 0)
		error = begin_content(m, &o);
	if (error == 0)
		return m;
	smtpd_queue_abort(m);
	errno = error;
	return NULL;
}

int
smtpd_queue_write(struct smtpd_queue_message *m, const void *data, size_t len)
{
	struct smtpd_spool_content *content = m->mail.content;

	/* What is small was let in, and fits. */
	if (content->large != NULL &&
	    !smtpd__disk_space_has_room(&m->queue->space, len)) {
		content->error = ENOSPC;
		errno = ENOSPC;
		return -1;
	}
	return smtpd__header_edit_feed(&m->edit, data, len);
}

int
smtpd_queue_commit(struct smtpd_queue_message *m, char id[SMTPD_QUEUE_ID_SIZE])
{
	return smtpd__submit_commit(m, id, NULL, NULL);
}

int
smtpd__submit_commit(struct smtpd_queue_message *m,
    char id[SMTPD_QUEUE_ID_SIZE], void (*queued)(void *user), void *user)
{
	struct smtpd_delivery *d = &m->queue->delivery;
	const struct smtpd_header_info *info = &m->edit.info;
	struct smtpd_outgoing_envelope *e = &m->mail.envelope;
	struct smtpd_queued_message *message;
	int status = smtpd__header_edit_end(&m->edit);

	if (m->parts != NULL)
		smtpd__mime_scan_end(m->parts);
	if (status == 0)
		status = smtpd__seven_bit_convert(m);
	if (status == 0)
		status = smtpd__sign_end(&m->sign);
	if (status == 0) {
		if (info->eight_bit)
			e->eight_bit = true;
		if (info->long_lines)
			e->long_lines = true;
		/* Several count as none, and what was said to be needed does
		 * (RFC 8689, 3; RFC 8689, 4.1). */
		e->tls_optional = info->tls_required == 1 &&
		    info->tls_not_required && !e->requiretls;
		/* What may be UTF-8 is often none, and what is, often was not
		 * said to be (RFC 6531, 3.4). */
		e->utf8_wanted =
		    !e->utf8 && info->eight_bit_header && !info->utf8.broken;
		e->utf8 =
		    e->utf8 && (info->eight_bit_header || m->eight_bit_part);
		if (info->automatic)
			m->mail.flags |= SMTPD_MESSAGE_AUTOMATIC;
		/* It takes the content over, whatever happens. */
		status = smtpd__spool_add(d->spool, &m->mail, &message);
		m->mail.content = NULL;
	}
	if (status == 0 && id != NULL)
		smtpd__id_write(message->id, id);
	smtpd_queue_abort(m);
	if (status == 0 && queued != NULL)
		queued(user);
	if (status == 0)
		smtpd__dispatch_schedule(d, message);
	return status;
}

void
smtpd_queue_abort(struct smtpd_queue_message *m)
{
	int error = errno;

	if (m == NULL)
		return;
	smtpd__sign_finish(&m->sign);
	smtpd__spool_content_destroy(m->mail.content);
	smtpd__arena_reset(&m->arena);
	free(m->parts);
	free(m);
	errno = error;
}
