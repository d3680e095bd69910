/* SPDX-License-Identifier: MIT */
#include "client/exchange.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include "base/sizes.h"
#include "base/text.h"
#include "client/result.h"
#include "os/clock.h"
#include "transport/tls_client.h"

/* How long the rest of a reply is waited for that nothing was said for. */
#define STRAY_MS 1000

/* Our own enhanced code where a server gave none. */
static const char *
default_status(int code)
{
	switch (code / 100) {
	case 2:
		return "2.0.0";
	case 5:
		return "5.0.0";
	default:
		return "4.0.0";
	}
}

void
smtpd__client_exchange_close(struct smtpd_client *c)
{
	if (c->fd < 0)
		return;
	if (c->stream.tls != NULL && c->tls_is_good)
		smtpd__tls_client_keep(c->stream.tls);
	smtpd__stream_finish(&c->stream);
	close(c->fd);
	c->fd = -1;
	c->offers.len = 0;
	c->tls_is_good = false;
	c->hidden = false;
	c->awaited = 0;
	c->ahead = (struct smtpd_client_ahead){ NULL, 0 };
}

int
smtpd__client_exchange_fail(struct smtpd_client *c, enum smtpd_phase phase,
    const char *status, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	smtpd__result_vset(
	    &c->result, SMTPD_OUTCOME_TEMPORARY, phase, status, format, ap);
	va_end(ap);
	smtpd__client_exchange_close(c);
	return -1;
}

/*
 * 552 to RCPT is what servers of old say to too many recipients (RFC 5321,
 * 4.5.3.1.10), unless its enhanced code speaks of sizes.
 */
static bool
is_too_many(const struct smtpd_peer_reply *r, enum smtpd_phase phase)
{
	return phase == SMTPD_PHASE_RCPT && r->code == 552 &&
	    strcmp(r->enhanced, "5.3.4") != 0 &&
	    strcmp(r->enhanced, "5.2.2") != 0;
}

/* Whether it asks for the TLS that it offered and that we went on without, for
 * whatever reason (RFC 3207, 4). */
static bool
is_wanting_tls(const struct smtpd_client *c)
{
	return c->reply.code == 530 && c->stream.tls == NULL &&
	    smtpd_client_offers(c, "STARTTLS") != NULL;
}

/* A greeting speaks of the host, and a password that is refused of our own
 * settings (RFC 4954, 6): no message is bad for that. */
static enum smtpd_outcome
outcome_of(const struct smtpd_client *c, enum smtpd_phase phase)
{
	const struct smtpd_peer_reply *r = &c->reply;

	if (r->code / 100 == 2)
		return SMTPD_OUTCOME_SENT;
	if (r->code / 100 != 5 || phase == SMTPD_PHASE_GREETING ||
	    phase == SMTPD_PHASE_TLS || phase == SMTPD_PHASE_AUTH ||
	    is_too_many(r, phase) || is_wanting_tls(c))
		return SMTPD_OUTCOME_TEMPORARY;
	return SMTPD_OUTCOME_PERMANENT;
}

void
smtpd__client_exchange_judge(const struct smtpd_client *c,
    enum smtpd_phase phase, struct smtpd_result *out)
{
	const struct smtpd_peer_reply *r = &c->reply;

	out->outcome = outcome_of(c, phase);
	out->phase = phase;
	out->code = r->code;
	smtpd__result_set_text(out,
	    r->enhanced[0] != '\0' ? r->enhanced
		: out->outcome == SMTPD_OUTCOME_TEMPORARY
		? "4.0.0"
		: default_status(r->code),
	    r->text);
}

int
smtpd__client_exchange_refused(struct smtpd_client *c, enum smtpd_phase phase)
{
	smtpd__client_exchange_judge(c, phase, &c->result);
	/* A reply that is good at another place is nonsense here. */
	if (c->result.outcome == SMTPD_OUTCOME_SENT ||
	    c->reply.code / 100 == 3) {
		c->result.outcome = SMTPD_OUTCOME_TEMPORARY;
		smtpd__result_set_text(&c->result, "4.5.0", c->reply.text);
		c->out_of_step = true;
	}
	smtpd__client_exchange_close(c);
	return -1;
}

/* Close the connection without a reply.  After the dot the outcome is in doubt
 * then. */
static int
end_lost(struct smtpd_client *c, enum smtpd_phase phase, const char *status,
    const char *text)
{
	smtpd__client_exchange_fail(c, phase, status, "%s", text);
	if (phase == SMTPD_PHASE_DOT)
		c->result.outcome = SMTPD_OUTCOME_IN_DOUBT;
	return -1;
}

int
smtpd__client_exchange_broken(
    struct smtpd_client *c, enum smtpd_phase phase, enum smtpd_io_status status)
{
	char reason[SMTPD_ERROR_TEXT_SIZE], said[SMTPD_REASON_SIZE];
	struct smtpd_text t;

	switch (status) {
	case SMTPD_IO_CLOSED:
		return end_lost(
		    c, phase, "4.4.2", "the server closed the connection");
	case SMTPD_IO_TIMEOUT:
		c->timed_out = true;
		return end_lost(c, phase, "4.4.2", "the server took too long");
	case SMTPD_IO_INTERRUPTED:
		return end_lost(c, phase, "4.4.2", "cancelled");
	case SMTPD_IO_TLS:
		return end_lost(
		    c, phase, "4.7.0", "the server broke the rules of TLS");
	case SMTPD_IO_OK:
	case SMTPD_IO_FLOOD:
		c->out_of_step = true;
		smtpd__text_init(&t, said, sizeof(said));
		smtpd__text_format(
		    &t, "the server says what is no reply: %s", c->reply.text);
		return end_lost(c, phase, "4.5.0", said);
	case SMTPD_IO_ERROR:
	case SMTPD_IO_REST:
		break;
	}
	if (strerror_r(errno, reason, sizeof(reason)) != 0)
		reason[0] = '\0';
	return end_lost(c, phase, "4.4.2", reason);
}

/* Show the caller a line of the exchange, as much as may be shown. */
static void
show_line(struct smtpd_client *c, bool sent, const char *line, size_t len)
{
	char buf[SMTPD_COMMAND_MAX];
	struct smtpd_text t;

	if (c->set.exchange == NULL)
		return;
	smtpd__text_init(&t, buf, sizeof(buf));
	if (c->hidden && sent)
		return;
	/* A challenge of AUTH. */
	if (c->hidden && len > 3 && *line == '3')
		len = 3;
	smtpd__text_filtered(&t, line, len);
	c->set.exchange(c->set.exchange_user, sent, buf);
}

/* Whether there is input.  Within TLS what the socket has may be none. */
static bool
is_spoken_to(struct smtpd_client *c)
{
	size_t len;

	if (c->stream.tls == NULL)
		return smtpd__stream_talks(&c->stream, 0);
	smtpd__stream_peek(&c->stream, &len);
	return len > 0;
}

int
smtpd__client_exchange_check_step(
    struct smtpd_client *c, enum smtpd_phase phase)
{
	int code;

	if (c->fd < 0)
		return -1;
	if (c->awaited > 0 || !is_spoken_to(c))
		return 0;
	/* It may have closed, or say so by 421. */
	code = smtpd__client_exchange_read_reply(c, phase, STRAY_MS, NULL);
	if (code < 0)
		return -1;
	c->out_of_step = true;
	return smtpd__client_exchange_fail(c, phase, "4.5.0",
	    "the server replied to no command: %d %s", code, c->reply.text);
}

static size_t write_command(struct smtpd_client *c, enum smtpd_phase phase,
    const char *format, va_list ap) SMTPD_PRINTF(3, 0);

static size_t
write_command(struct smtpd_client *c, enum smtpd_phase phase,
    const char *format, va_list ap)
{
	char *at;
	struct smtpd_text t;

	if (smtpd__client_exchange_check_step(c, phase) == -1)
		return 0;
	at = smtpd__stream_room(&c->stream, SMTPD_COMMAND_MAX);
	if (at == NULL) {
		smtpd__client_exchange_broken(c, phase, SMTPD_IO_CLOSED);
		return 0;
	}
	smtpd__text_init(&t, at, SMTPD_COMMAND_MAX - strlen("\n"));
	smtpd__text_vformat(&t, format, ap);
	if (t.cut) {
		smtpd__client_exchange_fail(
		    c, phase, "4.3.0", "too long a command");
		return 0;
	}
	show_line(c, true, at, t.len);
	memcpy(at + t.len, "\r\n", 2);
	smtpd__stream_put(&c->stream, t.len + 2);
	c->awaited++;
	return t.len + 2;
}

size_t
smtpd__client_exchange_write(
    struct smtpd_client *c, enum smtpd_phase phase, const char *format, ...)
{
	size_t len;
	va_list ap;

	va_start(ap, format);
	len = write_command(c, phase, format, ap);
	va_end(ap);
	return len;
}

size_t
smtpd__client_exchange_write_secret(struct smtpd_client *c,
    enum smtpd_phase phase, const char *line, size_t len)
{
	char *at;

	if (smtpd__client_exchange_check_step(c, phase) == -1)
		return 0;
	at = smtpd__stream_room(&c->stream, SMTPD_AUTH_LINE_MAX + 2);
	if (at == NULL) {
		smtpd__client_exchange_broken(c, phase, SMTPD_IO_CLOSED);
		return 0;
	}
	if (len > SMTPD_AUTH_LINE_MAX) {
		smtpd__client_exchange_fail(
		    c, phase, "4.3.0", "too long a line of AUTH");
		return 0;
	}
	memcpy(at, line, len);
	memcpy(at + len, "\r\n", 2);
	smtpd__stream_put(&c->stream, len + 2);
	c->awaited++;
	return len + 2;
}

/* A line that belongs to no reply: its words are kept to be reported. */
static enum smtpd_io_status
refuse_line(struct smtpd_client *c, const char *line, size_t len)
{
	struct smtpd_text t;

	smtpd__text_init(&t, c->reply.text, sizeof(c->reply.text));
	if (line != NULL)
		smtpd__text_filtered(&t, line, len);
	return SMTPD_IO_FLOOD;
}

/* One line of a reply into c->reply. */
static enum smtpd_io_status
read_line(struct smtpd_client *c, enum smtpd_peer_step *step,
    smtpd_reply_line_fn *each)
{
	enum smtpd_line_end end;
	enum smtpd_io_status status;
	char *line;
	size_t len;

	status = smtpd__stream_line(
	    &c->stream, SMTPD_PEER_LINE_MAX, UINT32_MAX, &line, &len, &end);
	if (status != SMTPD_IO_OK)
		return status;
	if (end == SMTPD_LINE_END_TOO_LONG || end == SMTPD_LINE_END_BINARY)
		return refuse_line(c, line, len);
	show_line(c, false, line, len);
	*step = smtpd__reply_parse_line(&c->reply, line, len);
	if (*step == SMTPD_PEER_BAD)
		return refuse_line(c, line, len);
	if (each != NULL && len > 4)
		each(c, line + 4, len - 4);
	return SMTPD_IO_OK;
}

/*
 * When the server has closed, the reply to an earlier command, or a 421, may
 * still be there to be read.
 */
static enum smtpd_io_status
read_reply(struct smtpd_client *c, uint32_t ms, smtpd_reply_line_fn *each)
{
	enum smtpd_peer_step step = SMTPD_PEER_MORE;
	enum smtpd_io_status status;

	c->stream.wire.write_ms = ms;
	status = smtpd__stream_flush(&c->stream);
	if (status == SMTPD_IO_CLOSED)
		status = SMTPD_IO_OK;
	c->stream.deadline = smtpd__clock_after(smtpd__clock_ms(), ms);
	smtpd__reply_parse_init(&c->reply);
	while (status == SMTPD_IO_OK && step == SMTPD_PEER_MORE)
		status = read_line(c, &step, each);
	return status;
}

int
smtpd__client_exchange_read_reply(struct smtpd_client *c,
    enum smtpd_phase phase, uint32_t ms, smtpd_reply_line_fn *each)
{
	struct smtpd_wire *wire = &c->stream.wire;
	enum smtpd_io_status status;

	if (c->fd < 0)
		return -1;
	/* The one reply that is worth any wait: the message may be there. */
	if (phase == SMTPD_PHASE_DOT) {
		wire->budget_ms = SMTPD_NEVER;
		if (c->set.dot_cancel != NULL)
			wire->cancel_fd = smtpd_cancel_fd(c->set.dot_cancel);
	}
	status = read_reply(c, ms, each);
	wire->cancel_fd = smtpd_cancel_fd(c->set.cancel);
	if (status != SMTPD_IO_OK)
		return smtpd__client_exchange_broken(c, phase, status);
	if (c->awaited > 0)
		c->awaited--;
	if (c->reply.code == 421)
		return smtpd__client_exchange_refused(c, phase);
	return c->reply.code;
}

int
smtpd__client_exchange_command(struct smtpd_client *c, enum smtpd_phase phase,
    uint32_t ms, const char *format, ...)
{
	size_t len;
	va_list ap;

	va_start(ap, format);
	len = write_command(c, phase, format, ap);
	va_end(ap);
	return len == 0 ? -1
			: smtpd__client_exchange_read_reply(c, phase, ms, NULL);
}

bool
smtpd__client_exchange_is_offline(const struct smtpd_client *c)
{
	return c->offline;
}

bool
smtpd__client_exchange_is_full(const struct smtpd_client *c)
{
	return c->is_full;
}
