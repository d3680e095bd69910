/* SPDX-License-Identifier: MIT */
#include "milter/conversation.h"

#include <errno.h>
#include <string.h>

#include <smtpd/session.h>

#include "os/clock.h"

/* So much is collected of steps that are not answered. */
#define FLUSH_SIZE 65536

/* How long a milter may say that it is still at work. */
#define PROGRESS_MAX_MS 3600000

/* For what is said without waiting for an answer. */
#define PARTING_MS 1000

/* The first version with the command of DATA. */
#define VERSION_OF_DATA 4

/* What is read between a command and its decision. */
struct reading {
	struct smtpd_changes *changes; /* NULL: none may come */
	int (*body)(void *user, const char *data, size_t len);
	void *user;
};

/* The connection is of no more use, because of errno. */
static enum smtpd_decision_kind
fail_talk(struct smtpd_conversation *v)
{
	v->error = errno;
	v->stale = v->c != NULL && v->c->reused && !v->c->answered;
	smtpd__connection_close(v->c);
	v->c = NULL;
	v->in_message = v->ended = false;
	v->decision.kind = SMTPD_DECISION_FAILED;
	return SMTPD_DECISION_FAILED;
}

static enum smtpd_decision_kind
continue_talk(struct smtpd_conversation *v)
{
	v->decision.kind = SMTPD_DECISION_CONTINUE;
	return SMTPD_DECISION_CONTINUE;
}

enum smtpd_decision_kind
smtpd__conversation_open(struct smtpd_conversation *v, bool fresh)
{
	const struct smtpd_milter_settings *s = &v->milter->settings;

	v->c = fresh ? NULL : smtpd__milter_reuse(v->milter);
	if (v->c == NULL)
		v->c = smtpd__connection_open(&v->milter->address,
		    smtpd__clock_after(
			smtpd__clock_ms(), s->connect_timeout_ms),
		    &v->wait);
	return v->c != NULL ? continue_talk(v) : fail_talk(v);
}

/* Do what packet P between a command and its decision says.  Return 1 when it
 * is the decision, 0 when more must come, -1 with errno. */
static int
read_packet(struct smtpd_conversation *v, struct smtpd_packet *p,
    const struct reading *r)
{
	errno = EPROTO;
	if (p->command == SMTPD_MILTER_PROGRESS)
		return 0;
	if (!smtpd__changes_is_one(p->command))
		return smtpd__decision_read(p, &v->decision) ? 1 : -1;
	if (r->changes == NULL)
		return -1;
	if (smtpd__changes_add(r->changes, p, &v->c->agreed) == -1)
		return -1;
	if (p->command == SMTPD_MILTER_REPLACE_BODY)
		return r->body(r->user, p->data, p->len);
	return 0;
}

/* Send what was collected, and read the decision, for TIMEOUT_MS at a time. */
static enum smtpd_decision_kind
exchange_packets(
    struct smtpd_conversation *v, uint32_t timeout_ms, const struct reading *r)
{
	const uint64_t begun = smtpd__clock_ms();
	uint64_t deadline = smtpd__clock_after(begun, timeout_ms);
	struct smtpd_packet p;
	int found = 0;

	/* An answer to nothing is none to what is asked now. */
	if (v->c->in_at != v->c->in_len) {
		errno = EPROTO;
		return fail_talk(v);
	}
	if (smtpd__connection_flush(v->c, deadline, &v->wait) == -1)
		return fail_talk(v);
	while (found == 0) {
		if (smtpd__connection_read(v->c, &p, deadline, &v->wait) == -1)
			return fail_talk(v);
		v->c->answered = true;
		found = read_packet(v, &p, r);
		if (p.command == SMTPD_MILTER_PROGRESS)
			deadline = smtpd__clock_earlier(
			    smtpd__clock_after(smtpd__clock_ms(), timeout_ms),
			    smtpd__clock_after(begun, PROGRESS_MAX_MS));
	}
	return found == 1 ? v->decision.kind : fail_talk(v);
}

/* Begin COMMAND with the macros of STAGE, unless the milter does not want it:
 * NO is the bit that says so. */
static bool
begin_step(struct smtpd_conversation *v, enum smtpd_milter_command command,
    enum smtpd_milter_stage stage, uint32_t no)
{
	v->ended = false;
	if ((v->c->agreed.steps & no) != 0) {
		continue_talk(v);
		return false;
	}
	if (stage != SMTPD_MILTER_STAGES)
		smtpd__macros_write(&v->c->writer, &v->c->agreed, stage,
		    command, v->value, v->user);
	smtpd__packet_begin(&v->c->writer, (char)command);
	return true;
}

/* End the step; NR is the bit that says that the milter does not answer it. */
static enum smtpd_decision_kind
end_step(struct smtpd_conversation *v, uint32_t nr)
{
	static const struct reading none = { .changes = NULL };
	const uint32_t timeout_ms = v->milter->settings.command_timeout_ms;

	smtpd__packet_end(&v->c->writer);
	if ((v->c->agreed.steps & nr) == 0)
		return exchange_packets(v, timeout_ms, &none);
	if (v->c->writer.out.len > FLUSH_SIZE &&
	    smtpd__connection_flush(v->c,
		smtpd__clock_after(smtpd__clock_ms(), timeout_ms),
		&v->wait) == -1)
		return fail_talk(v);
	return continue_talk(v);
}

enum smtpd_decision_kind
smtpd__conversation_connect(struct smtpd_conversation *v, const char *host,
    char family, uint16_t port, const char *address)
{
	struct smtpd_packet_writer *w = &v->c->writer;

	if (!begin_step(v, SMTPD_MILTER_CONNECT, SMTPD_MILTER_AT_CONNECT,
		SMTPD_MILTER_NO_CONNECT))
		return SMTPD_DECISION_CONTINUE;
	smtpd__packet_add_text(w, host);
	smtpd__packet_add_bytes(w, &family, 1);
	if (family != 'U') {
		smtpd__packet_add_u16(w, port);
		smtpd__packet_add_text(w, address);
	}
	return end_step(v, SMTPD_MILTER_NR_CONNECT);
}

/* libmilter passes over a HELO that comes behind the end of a message, and has
 * no answer to it; an abort lets it be as after the first one. */
enum smtpd_decision_kind
smtpd__conversation_helo(struct smtpd_conversation *v, const char *name)
{
	v->in_message = v->in_message || v->ended;
	smtpd__conversation_abort(v);
	if (v->c == NULL)
		return SMTPD_DECISION_FAILED;
	if (!begin_step(v, SMTPD_MILTER_HELO, SMTPD_MILTER_AT_HELO,
		SMTPD_MILTER_NO_HELO))
		return SMTPD_DECISION_CONTINUE;
	smtpd__packet_add_text(&v->c->writer, name);
	return end_step(v, SMTPD_MILTER_NR_HELO);
}

/* Append a parameter as MAIL or RCPT had it. */
static void
add_param(struct smtpd_packet_writer *w, const struct smtpd_param *p)
{
	smtpd__packet_add_bytes(w, p->name, strlen(p->name));
	if (p->value != NULL) {
		smtpd__packet_add_bytes(w, "=", 1);
		smtpd__packet_add_bytes(w, p->value, strlen(p->value));
	}
	smtpd__packet_add_bytes(w, "", 1);
}

enum smtpd_decision_kind
smtpd__conversation_path(struct smtpd_conversation *v,
    enum smtpd_milter_command command, const char *address,
    const struct smtpd_params *params)
{
	const bool mail = command == SMTPD_MILTER_MAIL;
	struct smtpd_packet_writer *w = &v->c->writer;

	v->in_message = true;
	if (!begin_step(v, command,
		mail ? SMTPD_MILTER_AT_MAIL : SMTPD_MILTER_AT_RCPT,
		mail ? SMTPD_MILTER_NO_MAIL : SMTPD_MILTER_NO_RCPT))
		return SMTPD_DECISION_CONTINUE;
	smtpd__packet_add_bytes(w, "<", 1);
	smtpd__packet_add_bytes(w, address, strlen(address));
	smtpd__packet_add_text(w, ">");
	for (size_t i = 0; i < smtpd_params_count(params); i++)
		add_param(w, smtpd_params_get(params, i));
	return end_step(v, mail ? SMTPD_MILTER_NR_MAIL : SMTPD_MILTER_NR_RCPT);
}

enum smtpd_decision_kind
smtpd__conversation_data(struct smtpd_conversation *v)
{
	if (v->c->agreed.version < VERSION_OF_DATA)
		return continue_talk(v);
	if (!begin_step(v, SMTPD_MILTER_DATA, SMTPD_MILTER_AT_DATA,
		SMTPD_MILTER_NO_DATA))
		return SMTPD_DECISION_CONTINUE;
	return end_step(v, SMTPD_MILTER_NR_DATA);
}

enum smtpd_decision_kind
smtpd__conversation_header(struct smtpd_conversation *v, const char *name,
    const char *value, size_t len)
{
	struct smtpd_packet_writer *w = &v->c->writer;

	if (!begin_step(v, SMTPD_MILTER_HEADER, SMTPD_MILTER_STAGES,
		SMTPD_MILTER_NO_HEADERS))
		return SMTPD_DECISION_CONTINUE;
	if ((v->c->agreed.steps & SMTPD_MILTER_LEADING_SPACE) == 0 && len > 0 &&
	    (value[0] == ' ' || value[0] == '\t')) {
		value++;
		len--;
	}
	smtpd__packet_add_text(w, name);
	smtpd__packet_add_bytes(w, value, len);
	smtpd__packet_add_bytes(w, "", 1);
	return end_step(v, SMTPD_MILTER_NR_HEADER);
}

enum smtpd_decision_kind
smtpd__conversation_eoh(struct smtpd_conversation *v)
{
	if (!begin_step(
		v, SMTPD_MILTER_EOH, SMTPD_MILTER_AT_EOH, SMTPD_MILTER_NO_EOH))
		return SMTPD_DECISION_CONTINUE;
	return end_step(v, SMTPD_MILTER_NR_EOH);
}

enum smtpd_decision_kind
smtpd__conversation_body(
    struct smtpd_conversation *v, const char *data, size_t len)
{
	if (!begin_step(v, SMTPD_MILTER_BODY, SMTPD_MILTER_STAGES,
		SMTPD_MILTER_NO_BODY))
		return SMTPD_DECISION_CONTINUE;
	smtpd__packet_add_bytes(&v->c->writer, data, len);
	return end_step(v, SMTPD_MILTER_NR_BODY);
}

enum smtpd_decision_kind
smtpd__conversation_end(struct smtpd_conversation *v,
    struct smtpd_changes *changes,
    int (*body)(void *user, const char *data, size_t len), void *user)
{
	const struct reading r = { changes, body, user };
	enum smtpd_decision_kind kind;

	begin_step(v, SMTPD_MILTER_END, SMTPD_MILTER_AT_END, 0);
	smtpd__packet_end(&v->c->writer);
	v->in_message = false;
	kind = exchange_packets(v, v->milter->settings.message_timeout_ms, &r);
	v->ended = kind == SMTPD_DECISION_CONTINUE;
	return kind;
}

static int
no_cancel(void *user)
{
	(void)user;
	return -1;
}

/* Send COMMAND, to which there is no answer.  Return whether that worked. */
static bool
send_parting(struct smtpd_conversation *v, enum smtpd_milter_command command)
{
	static const struct smtpd_milter_wait wait = { .cancel_fd = no_cancel };

	smtpd__packet_begin(&v->c->writer, (char)command);
	smtpd__packet_end(&v->c->writer);
	return smtpd__connection_flush(v->c,
		   smtpd__clock_after(smtpd__clock_ms(), PARTING_MS),
		   &wait) == 0;
}

void
smtpd__conversation_abort(struct smtpd_conversation *v)
{
	if (v->c == NULL || !v->in_message)
		return;
	v->in_message = v->ended = false;
	if (!send_parting(v, SMTPD_MILTER_ABORT))
		fail_talk(v);
}

void
smtpd__conversation_close(struct smtpd_conversation *v)
{
	const bool reusable = v->ended;

	smtpd__conversation_abort(v);
	if (v->c == NULL)
		return;
	/* From elsewhere libmilter does not go on to another client. */
	if (reusable && v->c->agreed.version == SMTPD_MILTER_VERSION &&
	    send_parting(v, SMTPD_MILTER_QUIT_NC)) {
		smtpd__milter_release(v->milter, v->c);
	} else {
		send_parting(v, SMTPD_MILTER_QUIT);
		smtpd__connection_close(v->c);
	}
	v->c = NULL;
}
