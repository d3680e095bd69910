/* SPDX-License-Identifier: MIT */
#include "queue/delivery/local.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/container.h"
#include "base/id.h"
#include "client/result.h"
#include "grammar/reply_parse.h"
#include "queue/delivery/history.h"

/* The code of a callback that returned none, and until it returns. */
#define CODE_OTHER 451

/* The relay of what came here. */
#define RELAY "relay=local tls=none"

/* One call of the callback. */
struct call {
	struct smtpd_local local;
	struct smtpd_delivery_request *request;
	bool *replied; /* for each recipient of it */
	uint64_t at;   /* how far the content was read */
};

static ssize_t
read_content(void *user, void *buf, size_t size)
{
	struct call *c = user;
	ssize_t n =
	    smtpd__loaded_message_read(c->request->loaded, c->at, buf, size);

	if (n > 0)
		c->at += (uint64_t)n;
	return n;
}

static bool
is_code(int code)
{
	return code >= 200 && code <= 599 && code / 100 != 3;
}

/* Fill in R by CODE and TEXT, as if a host had said them. */
static void
set_result(struct smtpd_result *r, int code, const char *text)
{
	struct smtpd_peer_reply reply;
	char line[SMTPD_REASON_SIZE + 16], status[16];
	int len = snprintf(
	    line, sizeof(line), "%d %.*s", code, SMTPD_REASON_SIZE - 1, text);

	smtpd__reply_parse_init(&reply);
	smtpd__reply_parse_line(&reply, line, (size_t)len);
	snprintf(status, sizeof(status), "%d.0.0", code / 100);
	r->outcome = code / 100 == 2 ? SMTPD_OUTCOME_SENT
	    : code / 100 == 4        ? SMTPD_OUTCOME_TEMPORARY
				     : SMTPD_OUTCOME_PERMANENT;
	r->phase = SMTPD_PHASE_DOT;
	r->code = code;
	smtpd__result_set_text(
	    r, reply.enhanced[0] != '\0' ? reply.enhanced : status, reply.text);
}

int
smtpd_local_reply(
    struct smtpd_local *local, size_t rcpt, int code, const char *text)
{
	struct call *c = SMTPD_CONTAINER_OF(local, struct call, local);

	if (rcpt >= c->request->nrcpts || !is_code(code)) {
		errno = EINVAL;
		return -1;
	}
	c->replied[rcpt] = true;
	set_result(
	    &c->request->rcpts[rcpt].result, code, text != NULL ? text : "");
	return 0;
}

/* Give the recipients without a reply that of CODE, which was returned, and
 * tell of all. */
static void
finish_call(struct call *c, int code, const struct smtpd_logger *logger)
{
	static const char *const words[] = {
		[2] = "delivered", [4] = "not now", [5] = "refused"
	};
	struct smtpd_delivery_request *request = c->request;

	if (!is_code(code))
		code = CODE_OTHER;
	for (size_t i = 0; i < request->nrcpts; i++) {
		struct smtpd_rcpt_progress *p = &request->rcpts[i];

		if (!c->replied[i])
			set_result(&p->result, code, words[code / 100]);
		p->host[0] = '\0';
		p->delivered = p->result.outcome == SMTPD_OUTCOME_SENT;
		p->finished = p->result.outcome != SMTPD_OUTCOME_TEMPORARY;
		smtpd__history_add_result(request->history,
		    request->loaded->envelope.rcpts[p->rcpt].address,
		    &p->result, "local");
		smtpd__history_log_result(logger, request->loaded, p, RELAY);
	}
}

int
smtpd__local_deliver(const struct smtpd_route_target *target,
    struct smtpd_delivery_request *request, const struct smtpd_logger *logger)
{
	struct smtpd_outgoing_envelope envelope = request->loaded->envelope;
	struct smtpd_outgoing_rcpt *rcpts =
	    calloc(request->nrcpts, sizeof(*rcpts));
	struct call c = {
		.request = request,
		.replied = calloc(request->nrcpts, sizeof(*c.replied)),
	};
	char id[SMTPD_ID_SIZE];
	int status = -1;

	for (size_t i = 0; i < request->nrcpts; i++)
		smtpd__result_set(&request->rcpts[i].result,
		    SMTPD_OUTCOME_TEMPORARY, SMTPD_PHASE_DOT, "4.3.0",
		    "out of memory");
	if (rcpts == NULL || c.replied == NULL)
		goto out;
	for (size_t i = 0; i < request->nrcpts; i++)
		rcpts[i] = envelope.rcpts[request->rcpts[i].rcpt];
	envelope.rcpts = rcpts;
	envelope.nrcpts = request->nrcpts;
	smtpd__id_write(request->loaded->id, id);
	c.local = (struct smtpd_local){
		.id = id,
		.envelope = &envelope,
		.length = request->loaded->size,
		.read = read_content,
		.read_user = &c,
	};
	finish_call(
	    &c, target->deliver(&c.local, target->deliver_user), logger);
	status = 0;
out:
	free(rcpts);
	free(c.replied);
	return status;
}
