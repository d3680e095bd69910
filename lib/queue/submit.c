/* SPDX-License-Identifier: MIT */
#include <smtpd/address.h>
#include <smtpd/queue.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/id.h"
#include "grammar/date.h"
#include "grammar/header_edit.h"
#include "os/clock.h"
#include "queue/delivery/dispatch.h"
#include "queue/queue_state.h"

struct smtpd_queue_message {
	struct smtpd_queue *queue;
	const struct smtpd_mail *mail;
	struct smtpd_spool_content *content;
	uint64_t id;
	char date[SMTPD_DATE_MAX];
	char message_id[320];
	struct smtpd_header_edit edit;
};

static int
keep(void *user, const void *data, size_t len)
{
	struct smtpd_queue_message *d = user;

	return smtpd__spool_content_write(d->content, data, len);
}

static void
begin_edit(struct smtpd_queue_message *d)
{
	unsigned fix = d->mail->fix;
	char id[SMTPD_ID_SIZE];
	struct smtpd_header_wants wants = {
		.drop_bcc = (fix & SMTPD_FIX_BCC) != 0,
	};

	if ((fix & SMTPD_FIX_DATE) != 0) {
		smtpd__date_write(
		    (time_t)(smtpd__clock_wall_ms() / 1000), d->date);
		wants.date = d->date;
	}
	if ((fix & SMTPD_FIX_MESSAGE_ID) != 0) {
		smtpd__id_write(d->id, id);
		snprintf(d->message_id, sizeof(d->message_id), "<%s@%s>", id,
		    d->queue->delivery.hostname);
		wants.message_id = d->message_id;
	}
	smtpd__header_edit_init(&d->edit, &wants, keep, d);
}

static uint64_t
choose_id(struct smtpd_queue *q, const struct smtpd_mail *mail)
{
	uint64_t id;

	if (mail->id != NULL && smtpd__id_parse(mail->id, &id) == 0)
		return id;
	return smtpd__spool_new_id(q->delivery.spool);
}

static bool
is_good(const char *text)
{
	char buf[SMTPD_ADDRESS_MAX];
	struct smtpd_address a;

	return smtpd_address_parse(text, buf, sizeof(buf), &a) == 0 &&
	    a.domain[0] != '\0';
}

/* Whether all addresses can be sent to, and reported to. */
static bool
has_good_addresses(const struct smtpd_mail *mail)
{
	if (mail->nrcpts == 0 ||
	    (mail->sender[0] != '\0' && !is_good(mail->sender)))
		return false;
	for (size_t i = 0; i < mail->nrcpts; i++)
		if (!is_good(mail->rcpts[i].address))
			return false;
	return true;
}

struct smtpd_queue_message *
smtpd_queue_begin(struct smtpd_queue *q, const struct smtpd_mail *mail)
{
	struct smtpd_queue_message *d;

	if (!has_good_addresses(mail)) {
		errno = EINVAL;
		return NULL;
	}
	if (!smtpd_queue_has_room(q, 0)) {
		errno = ENOSPC;
		return NULL;
	}
	d = malloc(sizeof(*d));
	if (d == NULL)
		return NULL;
	d->queue = q;
	d->mail = mail;
	d->id = choose_id(q, mail);
	d->content = smtpd__spool_content_create(q->delivery.spool);
	if (d->content == NULL)
		goto fail;
	begin_edit(d);
	if (mail->trace != NULL &&
	    keep(d, mail->trace, strlen(mail->trace)) == -1)
		goto fail;
	return d;
fail:
	smtpd_queue_abort(d);
	return NULL;
}

int
smtpd_queue_write(struct smtpd_queue_message *d, const void *data, size_t len)
{
	return smtpd__header_edit_feed(&d->edit, data, len);
}

static unsigned
flags_of(const struct smtpd_queue_message *d)
{
	const struct smtpd_header_info *facts = &d->edit.info;
	unsigned flags = 0;

	if (d->mail->sender[0] == '\0')
		flags |= SMTPD_MESSAGE_NULL_SENDER;
	if (d->mail->hold)
		flags |= SMTPD_MESSAGE_HELD;
	if (facts->eight_bit)
		flags |= SMTPD_MESSAGE_EIGHT_BIT;
	if (facts->automatic)
		flags |= SMTPD_MESSAGE_AUTOMATIC;
	return flags;
}

static int
add(struct smtpd_queue_message *d, struct smtpd_queued_message **message)
{
	const struct smtpd_mail *m = d->mail;
	struct smtpd_spool_mail mail = {
		.id = d->id,
		.sender = m->sender,
		.ret = m->ret,
		.envid = m->envid,
		.rcpts = m->rcpts,
		.nrcpts = m->nrcpts,
		.flags = flags_of(d),
		.content = d->content,
	};

	d->content = NULL;
	return smtpd__spool_add(d->queue->delivery.spool, &mail, message);
}

int
smtpd_queue_commit(struct smtpd_queue_message *d, char id[SMTPD_QUEUE_ID_MAX])
{
	struct smtpd_queue *q = d->queue;
	struct smtpd_queued_message *message;
	int status = smtpd__header_edit_end(&d->edit);

	if (status == 0)
		status = add(d, &message);
	if (status == 0 && id != NULL)
		smtpd__id_write(message->id, id);
	smtpd_queue_abort(d);
	if (status == 0)
		smtpd__dispatch_schedule(&q->delivery, message);
	return status;
}

void
smtpd_queue_abort(struct smtpd_queue_message *d)
{
	int error = errno;

	if (d == NULL)
		return;
	smtpd__spool_content_destroy(d->content);
	free(d);
	errno = error;
}
