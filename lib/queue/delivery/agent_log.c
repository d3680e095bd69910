/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "queue/delivery/agent_state.h"
#include "queue/delivery/history.h"
#include "queue/delivery/result_line.h"

/* The number of a reply, and a blank; "" for what nobody has said. */
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
    struct smtpd_agent_attempt *t, const struct smtpd_relay *stop, bool old)
{
	bool plain = strcmp(stop->tls, "none") == 0;

	smtpd__history_add(t->request->history, "%s [%s]:%u: %s%s", stop->host,
	    stop->address, (unsigned)stop->port,
	    old ? "connection kept open, " : "",
	    plain ? "not encrypted" : stop->tls);
}

void
smtpd__agent_log_result(struct smtpd_agent_attempt *t,
    const struct smtpd_relay *stop, const struct smtpd_result *result)
{
	struct code code = write_code(result);

	smtpd__history_add(t->request->history, "%s: %s%s %s", stop->host,
	    code.text, result->status, result->text);
}

static const char *
address_of(const struct smtpd_agent_attempt *t, size_t place)
{
	const struct smtpd_delivery_request *e = t->request;

	return e->loaded->rcpts[e->rcpts[place].rcpt].address;
}

void
smtpd__agent_log_rcpt(struct smtpd_agent_attempt *t, size_t place)
{
	const struct smtpd_rcpt_progress *p = &t->request->rcpts[place];
	struct code code = write_code(&p->result);

	smtpd__history_add(t->request->history, "rcpt %s: %s%s %s (%s)",
	    address_of(t, place), code.text, p->result.status, p->result.text,
	    p->host);
}

static void
write_relay(const struct smtpd_relay *stop, struct smtpd_text *relay)
{
	if (stop->host[0] == '\0')
		smtpd__text_add(relay, SMTPD_RESULT_LINE_NO_RELAY);
	else
		smtpd__text_format(relay, "relay=%s[%s]:%u tls=%s", stop->host,
		    stop->address, (unsigned)stop->port, stop->tls);
}

void
smtpd__agent_log(const struct smtpd_agent_attempt *t)
{
	const struct smtpd_agent_settings *set = t->agent->set;
	const struct smtpd_delivery_request *e = t->request;
	char line[SMTPD_LOGGER_LINE_SIZE];
	char relay[SMTPD_LOGGER_LINE_SIZE];
	struct smtpd_text text;

	if (!smtpd__logger_wants(&set->logger, SMTPD_LOG_INFO))
		return;
	for (size_t i = 0; i < e->nrcpts; i++) {
		smtpd__text_init(&text, relay, sizeof(relay));
		write_relay(&t->stops[t->rcpt_states[i].stop], &text);
		smtpd__text_init(&text, line, sizeof(line));
		smtpd__result_line_write(&text, e->loaded, &e->rcpts[i], relay);
		smtpd__logger_write(&set->logger, SMTPD_LOG_INFO, "%s", line);
	}
}
