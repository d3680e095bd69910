/* SPDX-License-Identifier: MIT */

/* A queue behind a server: what both offer to programs is put together. */

#include <smtpd/queue.h>

#include <errno.h>
#include <stdlib.h>

#include "grammar/param.h"

#define BLOCK_SIZE 16384

static int
refuse(struct smtpd_session *s, int error)
{
	if (error == ENOSPC || error == EDQUOT)
		return smtpd_reply(
		    s, 452, "4.3.1", "no space for it now: try again later");
	return smtpd_reply(s, 451, "4.3.0", "trouble here: try again later");
}

/* The recipients of E, an array that the caller frees; NULL without memory. */
static struct smtpd_outgoing_rcpt *
copy_rcpts(const struct smtpd_envelope *e)
{
	struct smtpd_outgoing_rcpt *rcpts = calloc(e->nrcpts, sizeof(*rcpts));

	for (size_t i = 0; rcpts != NULL && i < e->nrcpts; i++) {
		const struct smtpd_rcpt *r = &e->rcpts[i];

		rcpts[i].address = r->address.text;
		rcpts[i].notify =
		    smtpd_param_value(r->params, r->nparams, "NOTIFY");
		rcpts[i].orcpt =
		    smtpd_param_value(r->params, r->nparams, "ORCPT");
	}
	return rcpts;
}

/* Queue the body of MAIL.  Return 0, or -1 with errno; 0 there: the body ended
 * badly, which the library answers. */
static int
take(struct smtpd_queue *q, const struct smtpd_mail *mail,
    struct smtpd_body *body, char *id)
{
	struct smtpd_queue_message *d = smtpd_queue_begin(q, mail);
	char block[BLOCK_SIZE];
	ssize_t n;

	if (d == NULL)
		return -1;
	while ((n = smtpd_body_read(body, block, sizeof(block))) > 0)
		if (smtpd_queue_write(d, block, (size_t)n) == -1)
			break;
	if (n == 0)
		return smtpd_queue_commit(d, id);
	smtpd_queue_abort(d);
	if (n < 0)
		errno = 0;
	return -1;
}

int
smtpd_queue_deliver(struct smtpd_session *s,
    const struct smtpd_envelope *envelope, struct smtpd_body *body, void *queue)
{
	char trace[1024];
	char id[SMTPD_QUEUE_ID_MAX];
	struct smtpd_mail mail = {
		.id = envelope->id,
		.sender = envelope->sender.text,
		.nrcpts = envelope->nrcpts,
		.ret = smtpd_param_value(
		    envelope->params, envelope->nparams, "RET"),
		.envid = smtpd_param_value(
		    envelope->params, envelope->nparams, "ENVID"),
		.trace = trace,
		.fix = SMTPD_FIX_DATE | SMTPD_FIX_MESSAGE_ID,
	};
	struct smtpd_outgoing_rcpt *rcpts = copy_rcpts(envelope);
	int status;

	if (rcpts == NULL)
		return refuse(s, ENOMEM);
	mail.rcpts = rcpts;
	status = smtpd_session_received(s, trace, sizeof(trace));
	if (status > 0)
		status = take(queue, &mail, body, id);
	free(rcpts);
	if (status == -1)
		return refuse(s, errno);
	return smtpd_reply(s, 250, "2.0.0", "queued as %s", id);
}

int
smtpd_queue_admit(
    struct smtpd_session *s, const struct smtpd_command *command, void *queue)
{
	const char *text = smtpd_command_param(command, "SIZE");
	uint64_t size = 0;

	if (text != NULL && smtpd__param_number(text, &size) == -1)
		size = 0;
	if (smtpd_queue_has_room(queue, size))
		return 0;
	return refuse(s, ENOSPC);
}
