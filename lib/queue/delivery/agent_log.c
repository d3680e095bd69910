/* SPDX-License-Identifier: MIT */
#include "queue/delivery/agent_log.h"

#include <string.h>

#include "queue/delivery/history.h"
#include "queue/delivery/result_line.h"

/* The code of a reply, and a blank; "" for a result without a reply. */
struct code {
	char text[16];
};

static struct code
write_code(const struct smtpd_result *r)
{
	struct code code;
	struct smtpd_text t;

	smtpd__text_init(&t, code.text, sizeof(code.text));
	if (r->code != 0)
		smtpd__text_format(&t, "%d ", r->code);
	return code;
}

void
smtpd__agent_log_relay(
    struct smtpd_agent_attempt *t, const struct smtpd_relay *relay, bool reused)
{
	bool plain = strcmp(relay->tls, "none") == 0;

	smtpd__history_add(t->request->history, "%s [%s]:%u: %s%s", relay->host,
	    relay->address, (unsigned)relay->port,
	    reused ? "connection kept open, " : "",
	    plain ? "not encrypted" : relay->tls);
}

void
smtpd__agent_log_result(struct smtpd_agent_attempt *t,
    const struct smtpd_relay *relay, const struct smtpd_result *result)
{
	struct code code = write_code(result);

	smtpd__history_add(t->request->history, "%s: %s%s %s", relay->host,
	    code.text, result->status, result->text);
}

void
smtpd__agent_log_rcpt(struct smtpd_agent_attempt *t, size_t place)
{
	const struct smtpd_delivery_request *request = t->request;
	const struct smtpd_rcpt_progress *p = &request->rcpts[place];
	struct code code = write_code(&p->result);

	smtpd__history_add(request->history, "rcpt %s: %s%s %s (%s)",
	    request->loaded->rcpts[p->rcpt].address, code.text,
	    p->result.status, p->result.text, p->host);
}

void
smtpd__agent_log(const struct smtpd_agent_attempt *t)
{
	const struct smtpd_agent_settings *set = t->agent->set;
	const struct smtpd_delivery_request *request = t->request;

	if (!smtpd__logger_wants(&set->logger, SMTPD_LOG_INFO))
		return;
	for (size_t i = 0; i < request->nrcpts; i++) {
		const struct smtpd_relay *r =
		    &t->relays[t->rcpt_states[i].relay];
		char line[SMTPD_LOGGER_LINE_SIZE],
		    relay[SMTPD_LOGGER_LINE_SIZE];
		struct smtpd_text text;

		smtpd__text_init(&text, relay, sizeof(relay));
		if (r->host[0] == '\0')
			smtpd__text_add(&text, SMTPD_RESULT_LINE_NO_RELAY);
		else
			smtpd__text_format(&text, "relay=%s[%s]:%u tls=%s",
			    r->host, r->address, (unsigned)r->port, r->tls);
		smtpd__text_init(&text, line, sizeof(line));
		smtpd__result_line_write(
		    &text, request->loaded, &request->rcpts[i], relay);
		smtpd__logger_write(&set->logger, SMTPD_LOG_INFO, "%s", line);
	}
}
