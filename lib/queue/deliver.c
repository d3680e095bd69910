/* SPDX-License-Identifier: MIT */
#include "queue/deliver.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "grammar/param.h"
#include "queue/submit.h"

#define BLOCK_SIZE 16384

/* Trouble of our own is never the client's fault, and never permanent.  EINVAL
 * is what no mail host would take, EFBIG what no record holds. */
static int
reply_errno(struct smtpd_session *s, int error)
{
	if (error == ENOSPC || error == EDQUOT)
		return smtpd_reply(s, 452, "4.3.1",
		    "Insufficient disk space, try again later");
	if (error == EFBIG)
		return smtpd_reply(s, 552, "5.5.3",
		    "Too many recipients for one message, send it in several");
	if (error == EINVAL)
		return smtpd_reply(s, 554, "5.5.4",
		    "A parameter of MAIL or RCPT has an invalid value");
	return smtpd_reply(
	    s, 451, "4.3.0", "Message could not be queued, try again later");
}

/* Only <postmaster> has no domain.  Return 0, or -1 with errno. */
static int
set_rcpts(struct smtpd_submission *sub)
{
	const struct smtpd_envelope *e = sub->envelope;
	size_t n = 0;

	sub->rcpts = calloc(e->nrcpts, sizeof(*sub->rcpts));
	if (sub->rcpts == NULL)
		return -1;
	for (size_t i = 0; i < e->nrcpts; i++) {
		const struct smtpd_rcpt *r = smtpd_envelope_rcpt(e, i);

		if (r->removed)
			continue;
		sub->rcpts[n++] = (struct smtpd_outgoing_rcpt){
			SMTPD_OUTGOING_RCPT_INIT,
			.address = r->address.domain[0] != '\0'
			    ? r->address.text
			    : sub->postmaster,
			.notify = smtpd_params_value(r->params, "NOTIFY"),
			.orcpt = smtpd_params_value(r->params, "ORCPT"),
		};
	}
	sub->outgoing.rcpts = sub->rcpts;
	sub->outgoing.nrcpts = n;
	return 0;
}

/* Return 0, or -1 with errno. */
static int
set_envelope(struct smtpd_submission *sub, struct smtpd_session *s)
{
	const struct smtpd_envelope *e = sub->envelope;
	char *received = sub->received;
	int len = smtpd_session_received(s, received, sizeof(sub->received));

	if (len == -1) {
		errno = EMSGSIZE;
		return -1;
	}
	/* The queue puts an empty line below the fields that it adds. */
	if (len >= 4 && strcmp(received + len - 4, "\r\n\r\n") == 0)
		received[len - 2] = '\0';
	snprintf(sub->postmaster, sizeof(sub->postmaster), "postmaster@%s",
	    sub->queue->local_domain);
	sub->outgoing = (struct smtpd_outgoing_envelope){
		SMTPD_OUTGOING_ENVELOPE_INIT,
		.sender = e->sender.text,
		.ret = smtpd_params_value(e->params, "RET"),
		.envid = smtpd_params_value(e->params, "ENVID"),
		.utf8 = e->smtputf8,
		.requiretls = e->requiretls,
	};
	sub->options = (struct smtpd_queue_options){
		SMTPD_QUEUE_OPTIONS_INIT,
		.id = e->id,
		.trace = received,
		.fix = sub->queue->delivery.settings.fix,
		.hold = e->quarantine != NULL,
	};
	return set_rcpts(sub);
}

/* Tell the program what became of the message: ERROR, 0 when it is queued. */
static void
report_submission(const struct smtpd_submission *sub, int error)
{
	const struct smtpd_queue_settings *set = &sub->queue->delivery.settings;
	const struct smtpd_queue_submission report = {
		.id = sub->id,
		.size = sub->size,
		.error = error,
	};

	if (set->submitted != NULL)
		set->submitted(sub->session, &report, set->submitted_user);
}

/* The message is durable, and was not tried yet. */
static void
report_queued(void *submission)
{
	report_submission(submission, 0);
}

/* Copy BODY into the queue.  Return 1 when it is durable there, 0 when it has
 * no valid end, -1 with errno. */
static int
queue_body(struct smtpd_submission *sub, struct smtpd_body *body)
{
	struct smtpd_queue_message *m =
	    smtpd_queue_begin(sub->queue, &sub->outgoing, &sub->options);
	char block[BLOCK_SIZE];
	ssize_t n;

	if (m == NULL)
		return -1;
	while ((n = smtpd_body_read(body, block, sizeof(block))) > 0) {
		sub->size += (uint64_t)n;
		if (smtpd_queue_write(m, block, (size_t)n) == -1)
			break;
	}
	if (n == 0)
		return smtpd__submit_commit(m, sub->id, report_queued, sub) == 0
		    ? 1
		    : -1;
	smtpd_queue_abort(m);
	return n < 0 ? 0 : -1;
}

/* Refuse what the queue would not keep to, whatever the settings of the server
 * announce.  Return 0, or the code of the reply. */
static int
refuse_wishes(struct smtpd_session *s, const struct smtpd_envelope *e)
{
	if (e->encoding == SMTPD_ENCODING_BINARYMIME)
		return smtpd_reply(
		    s, 554, "5.6.1", "Binary messages cannot be sent on");
	if (e->held)
		return smtpd_reply(
		    s, 554, "5.3.3", "Messages cannot be held until a time");
	if (e->deliver_by.mode != SMTPD_BY_UNSAID)
		return smtpd_reply(
		    s, 554, "5.3.3", "Messages cannot be delivered by a time");
	return 0;
}

int
smtpd_queue_deliver(struct smtpd_session *s,
    const struct smtpd_envelope *envelope, struct smtpd_body *body, void *queue)
{
	struct smtpd_submission sub = {
		.queue = queue,
		.session = s,
		.envelope = envelope,
	};
	int status, error, code = refuse_wishes(s, envelope);

	if (code != 0)
		return code;
	status = set_envelope(&sub, s);
	if (status == 0)
		status = queue_body(&sub, body);
	error = errno;
	free(sub.rcpts);
	/* Without a valid end the library knows what to answer. */
	if (status != 1)
		report_submission(&sub, status == 0 ? EBADMSG : error);
	if (status == 0)
		return 0;
	if (status == -1)
		return reply_errno(s, error);
	return smtpd_reply(s, 250, "2.0.0", "Queued, id=%s", sub.id);
}

/* Octets that a recipient has in a record besides what it was sent with, and
 * those that the next one may have: no command can be longer. */
#define RCPT_OVERHEAD 8
#define RCPT_MAX      16384

int
smtpd_queue_admit(
    struct smtpd_session *s, const struct smtpd_command *command, void *queue)
{
	const struct smtpd_queue *q = queue;
	const struct smtpd_envelope *e = smtpd_session_envelope(s);
	const char *text = smtpd_params_value(command->params, "SIZE");
	uint64_t size = 0;

	if (strcmp(command->verb, "RCPT") == 0) {
		size = e->rcpts_size + (uint64_t)e->nrcpts * RCPT_OVERHEAD +
		    RCPT_MAX;
		if (size <= smtpd__spool_add_rcpts_max(q->delivery.spool))
			return 0;
		return smtpd_reply(s, 452, "4.5.3",
		    "Too many recipients for one message, send it in several");
	}
	if (text != NULL && smtpd__param_number(text, &size) == -1)
		size = 0;
	if (smtpd_queue_has_room(queue, size))
		return 0;
	return reply_errno(s, ENOSPC);
}
