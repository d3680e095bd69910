/* SPDX-License-Identifier: MIT */
#include "grammar/received.h"
#include "os/id_source.h"
#include "server/session_state.h"

#include <stdarg.h>
#include <string.h>

#include "base/id.h"
#include "base/text.h"
#include "grammar/received.h"
#include "os/clock.h"
#include "os/pages.h"

/* Heap for a transaction: as much as its recipients can need. */
#define ARENA_CAP_BASE     65536
#define ARENA_CAP_PER_RCPT 2048
#define ARENA_CAP_MAX      ((size_t)16 << 20)

struct smtpd_workspace *
smtpd__workspace_create(void)
{
	return smtpd__pages_map(sizeof(struct smtpd_workspace));
}

void
smtpd__workspace_destroy(struct smtpd_workspace *ws)
{
	smtpd__pages_unmap(ws, sizeof(*ws));
}

/* The client is slow: what it does not need now goes back to the system. */
static void
save_memory(void *arg)
{
	struct smtpd_session *s = arg;
	struct smtpd_workspace *ws = s->ws;
	size_t waiting;

	smtpd__stream_peek(&s->stream, &waiting);
	if (s->stack_bottom == NULL || waiting > 0)
		return;
	smtpd__pages_release(ws,
	    s->open ? offsetof(struct smtpd_workspace, reply) : sizeof(*ws));
	if (s->stream.tls != NULL)
		smtpd__tls_conn_save_memory(s->stream.tls);
	smtpd__pages_stack_release(s->stack_bottom);
}

static size_t
arena_cap(const struct smtpd_settings *settings)
{
	size_t cap = ARENA_CAP_BASE +
	    (size_t)settings->max_recipients * ARENA_CAP_PER_RCPT;

	return cap > ARENA_CAP_MAX ? ARENA_CAP_MAX : cap;
}

static void
set_times(struct smtpd_session *s)
{
	const struct smtpd_settings *settings = &s->config->settings;

	s->stream.idle_ms = settings->idle_timeout_ms;
	s->stream.wire.write_ms = settings->write_timeout_ms;
	s->stream.deadline = smtpd__clock_after(
	    s->stream.wire.now, settings->session_timeout_ms);
}

static bool
is_internet(const struct smtpd_session *s)
{
	return strcmp(s->peer_text, "local") != 0;
}

void
smtpd__session_init(struct smtpd_session *s, struct smtpd_server_config *c,
    struct smtpd_workspace *ws, char *stack_bottom, int in, int out,
    const struct smtpd_sockaddr *peer)
{
	memset(s, 0, sizeof(*s));
	s->config = c;
	s->ws = ws;
	s->stack_bottom = stack_bottom;
	smtpd__stream_init(&s->stream, in, out, ws->in, ws->out);
	s->stream.wire.rest = save_memory;
	s->stream.wire.rest_arg = s;
	set_times(s);
	s->id = atomic_fetch_add(&c->last_session, 1) + 1;
	s->peer = *peer;
	smtpd__socket_host(peer, s->peer_text, sizeof(s->peer_text));
	if (!is_internet(s))
		s->uid_known = smtpd__socket_uid(in, &s->uid) == 0;
	s->state = SMTPD_STATE_START;
	ws->reply.code = 0;
	smtpd__arena_init(
	    &s->arena, ws->arena, sizeof(ws->arena), arena_cap(&c->settings));
}

static void
let_go(struct smtpd_owned *own)
{
	if (own->destroy != NULL)
		own->destroy(own->data);
	own->data = NULL;
	own->destroy = NULL;
}

static void
count_bytes(struct smtpd_session *s)
{
	smtpd__settings_count(s->config, SMTPD_COUNT(bytes_in),
	    (int64_t)(s->stream.wire.bytes_in - s->counted_in));
	smtpd__settings_count(s->config, SMTPD_COUNT(bytes_out),
	    (int64_t)(s->stream.wire.bytes_out - s->counted_out));
	s->counted_in = s->stream.wire.bytes_in;
	s->counted_out = s->stream.wire.bytes_out;
}

void
smtpd__session_finish(struct smtpd_session *s)
{
	let_go(&s->transaction_own);
	let_go(&s->own);
	smtpd__arena_reset(&s->arena);
	smtpd__stream_finish(&s->stream);
	smtpd_tls_unref(s->tls);
	count_bytes(s);
}

void
smtpd__session_count(struct smtpd_session *s, size_t count)
{
	smtpd__settings_count(s->config, count, 1);
}

static void set_reply(struct smtpd_reply *r, int code, const char *enhanced,
    const char *format, va_list ap) SMTPD_PRINTF(4, 0);

static void
set_reply(struct smtpd_reply *r, int code, const char *enhanced,
    const char *format, va_list ap)
{
	struct smtpd_text t;

	r->code = code;
	smtpd__text_init(&t, r->enhanced, sizeof(r->enhanced));
	if (enhanced != NULL)
		smtpd__text_add(&t, enhanced);
	smtpd__text_init(&t, r->text, sizeof(r->text));
	smtpd__text_vformat(&t, format, ap);
}

/* The program made a mistake: the client may try again later. */
static void
say_mistake(struct smtpd_session *s, const char *what, int code)
{
	smtpd__logger_write(&s->config->logger, SMTPD_LOG_ERROR,
	    "session=%llu the program's %s: code %d", (unsigned long long)s->id,
	    what, code);
	s->ws->reply.code = 0;
	smtpd__session_say(s, 451, "4.3.0", "local error, try again later");
}

int
smtpd_reply(struct smtpd_session *s, int code, const char *enhanced,
    const char *format, ...)
{
	va_list ap;

	if (!smtpd__reply_is_valid(code, enhanced)) {
		say_mistake(s, "reply has no valid code", code);
		return s->ws->reply.code;
	}
	va_start(ap, format);
	set_reply(&s->ws->reply, code, enhanced, format, ap);
	va_end(ap);
	return code;
}

void
smtpd__session_say(struct smtpd_session *s, int code, const char *enhanced,
    const char *format, ...)
{
	va_list ap;

	if (s->ws->reply.code != 0)
		return;
	va_start(ap, format);
	set_reply(&s->ws->reply, code, enhanced, format, ap);
	va_end(ap);
}

void
smtpd__session_refuse(struct smtpd_session *s, size_t count, int code,
    const char *enhanced, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	set_reply(&s->ws->reply, code, enhanced, format, ap);
	va_end(ap);
	smtpd__session_count(s, count);
}

void
smtpd__session_close(struct smtpd_session *s, enum smtpd_close why)
{
	s->closing = true;
	s->why = why;
}

void
smtpd__session_answer(struct smtpd_session *s)
{
	struct smtpd_reply *r = &s->ws->reply;
	char *room = smtpd__stream_room(&s->stream, SMTPD_REPLY_WIRE_MAX);

	if (r->code == 421 && !s->closing)
		smtpd__session_close(s, SMTPD_CLOSE_REFUSED);
	smtpd__logger_write(&s->config->logger, SMTPD_LOG_TRACE,
	    "session=%llu reply=%d %s %s", (unsigned long long)s->id, r->code,
	    r->enhanced, r->text);
	if (room == NULL)
		return;
	smtpd__stream_put(
	    &s->stream, smtpd__reply_write(r, room, SMTPD_REPLY_WIRE_MAX));
	r->code = 0;
}

bool
smtpd__session_goes_on(struct smtpd_session *s, int result, int good)
{
	struct smtpd_reply *r = &s->ws->reply;

	if (result == 0) {
		r->code = 0;
		return true;
	}
	if (result != r->code || (result < 400 && result / 100 != good)) {
		say_mistake(s, "handler returned what is no reply", result);
		return false;
	}
	return result < 400;
}

void
smtpd__transaction_open(struct smtpd_session *s)
{
	memset(&s->envelope, 0, sizeof(s->envelope));
	smtpd__id_write(smtpd__id_source_next(), s->envelope_id);
	s->envelope.id = s->envelope_id;
	s->rcpts_room = 0;
	s->rcpts_refused = 0;
	s->open = true;
}

int
smtpd__transaction_add(struct smtpd_session *s, const struct smtpd_rcpt *rcpt)
{
	struct smtpd_envelope *e = &s->envelope;
	struct smtpd_rcpt *rcpts;

	if (e->nrcpts == s->rcpts_room) {
		size_t room = s->rcpts_room == 0 ? 4 : s->rcpts_room * 2;

		rcpts = smtpd__arena_alloc(&s->arena, room * sizeof(*rcpts));
		if (rcpts == NULL)
			return -1;
		if (e->nrcpts > 0)
			memcpy(rcpts, e->rcpts, e->nrcpts * sizeof(*rcpts));
		e->rcpts = rcpts;
		s->rcpts_room = room;
	}
	/* Const for those who look at it, not for the transaction. */
	rcpts = (struct smtpd_rcpt *)(uintptr_t)e->rcpts;
	rcpts[e->nrcpts++] = *rcpt;
	return 0;
}

void
smtpd__transaction_end(struct smtpd_session *s, enum smtpd_end how, int code)
{
	const struct smtpd_events *events = &s->config->events;
	bool accepted = (s->state & (SMTPD_STATE_MAIL | SMTPD_STATE_RCPT)) != 0;

	if (!s->open)
		return;
	if (accepted && events->transaction_end != NULL)
		events->transaction_end(
		    s, &s->envelope, how, code, events->user);
	let_go(&s->transaction_own);
	smtpd__arena_reset(&s->arena);
	s->open = false;
	if (accepted)
		s->state = SMTPD_STATE_HELLO;
	count_bytes(s);
}

void
smtpd__session_forget(struct smtpd_session *s)
{
	smtpd__transaction_end(s, SMTPD_END_RESET, 0);
	s->helo[0] = '\0';
	s->esmtp = false;
	s->state = SMTPD_STATE_START;
}

static void
log_tls(const struct smtpd_session *s, const char *reason)
{
	smtpd__logger_write(&s->config->logger, SMTPD_LOG_INFO,
	    "refused session=%llu peer=%s reason=\"no TLS: %s\"",
	    (unsigned long long)s->id, s->peer_text, reason);
}

void
smtpd__session_refuse_tls(
    struct smtpd_session *s, enum smtpd_io_status status, const char *reason)
{
	enum smtpd_close why = SMTPD_CLOSE_REFUSED;

	if (status == SMTPD_IO_CLOSED)
		why = SMTPD_CLOSE_GONE;
	else if (status == SMTPD_IO_TIMEOUT)
		why = SMTPD_CLOSE_TIMEOUT;
	else if (status == SMTPD_IO_INTERRUPTED)
		why = SMTPD_CLOSE_DRAINED;
	else if (status == SMTPD_IO_ERROR)
		why = SMTPD_CLOSE_ERROR;
	if (why == SMTPD_CLOSE_TIMEOUT)
		smtpd__session_count(s, SMTPD_COUNT(timeouts));
	smtpd__session_count(s, SMTPD_COUNT(refused_tls));
	log_tls(s, reason);
	smtpd__session_close(s, why);
}

void
smtpd__session_break_tls(struct smtpd_session *s)
{
	smtpd__session_count(s, SMTPD_COUNT(refused_protocol));
	log_tls(s, "the client broke it");
	smtpd__session_close(s, SMTPD_CLOSE_REFUSED);
}

void
smtpd__session_start_tls(struct smtpd_session *s, struct smtpd_tls_conn *conn)
{
	const struct smtpd_server_config *c = s->config;
	enum smtpd_io_status status;
	uint64_t deadline = smtpd__clock_after(
	    smtpd__clock_ms(), c->settings.handshake_timeout_ms);
	char reason[128] = "nothing could be sent";

	status = smtpd__stream_start_tls(
	    &s->stream, conn, deadline, reason, sizeof(reason));
	if (status != SMTPD_IO_OK) {
		smtpd__session_refuse_tls(s, status, reason);
		return;
	}
	smtpd__session_forget(s);
	smtpd__session_count(s, SMTPD_COUNT(tls));
	smtpd__logger_write(&c->logger, SMTPD_LOG_DEBUG,
	    "tls session=%llu version=%s cipher=%s name=%s",
	    (unsigned long long)s->id, smtpd_session_tls(s)->version,
	    smtpd_session_tls(s)->cipher, smtpd_session_tls(s)->server_name);
	if (c->events.tls != NULL)
		c->events.tls(s, c->events.user);
}

struct smtpd_server *
smtpd_session_server(const struct smtpd_session *s)
{
	return s->config->server;
}

uint64_t
smtpd_session_id(const struct smtpd_session *s)
{
	return s->id;
}

const char *
smtpd_session_peer(const struct smtpd_session *s)
{
	return s->peer_text;
}

const struct sockaddr *
smtpd_session_sockaddr(const struct smtpd_session *s, socklen_t *len)
{
	*len = s->peer.len;
	return (const struct sockaddr *)&s->peer.addr;
}

int
smtpd_session_fd(const struct smtpd_session *s)
{
	return s->stream.wire.in;
}

int
smtpd_session_uid(const struct smtpd_session *s, uid_t *uid)
{
	if (!s->uid_known)
		return -1;
	*uid = s->uid;
	return 0;
}

const char *
smtpd_session_helo(const struct smtpd_session *s)
{
	return s->helo;
}

bool
smtpd_session_esmtp(const struct smtpd_session *s)
{
	return s->esmtp;
}

const struct smtpd_tls_info *
smtpd_session_tls(const struct smtpd_session *s)
{
	if (s->stream.tls == NULL)
		return NULL;
	return smtpd__tls_conn_info(s->stream.tls);
}

const struct smtpd_envelope *
smtpd_session_envelope(const struct smtpd_session *s)
{
	return s->open ? &s->envelope : NULL;
}

const char *
smtpd_command_param(const struct smtpd_command *c, const char *name)
{
	return smtpd_param_value(c->params, c->nparams, name);
}

int
smtpd_session_received(struct smtpd_session *s, char *buf, size_t size)
{
	const struct smtpd_envelope *e = &s->envelope;
	const struct smtpd_tls_info *tls = smtpd_session_tls(s);
	char uid[24] = "";
	struct smtpd_text t;
	const struct smtpd_received trace = {
		.helo = s->helo,
		.peer = is_internet(s) ? s->peer_text : NULL,
		.uid = s->uid_known ? uid : NULL,
		.by = s->config->hostname,
		.with = tls != NULL ? "ESMTPS"
		    : s->esmtp      ? "ESMTP"
				    : "SMTP",
		.tls = tls != NULL ? tls->version : NULL,
		.cipher = tls != NULL ? tls->cipher : NULL,
		.id = e->id,
		.rcpt = e->nrcpts == 1 ? e->rcpts[0].address.text : NULL,
		.when = (time_t)(smtpd__clock_wall_ms() / 1000),
	};

	smtpd__text_init(&t, uid, sizeof(uid));
	smtpd__text_number(&t, s->uid);
	return s->open ? smtpd__received_write(&trace, buf, size) : -1;
}

void
smtpd_session_set_data(
    struct smtpd_session *s, void *data, void (*destroy)(void *))
{
	let_go(&s->own);
	s->own = (struct smtpd_owned){ data, destroy };
}

void *
smtpd_session_data(const struct smtpd_session *s)
{
	return s->own.data;
}

void
smtpd_session_set_transaction_data(
    struct smtpd_session *s, void *data, void (*destroy)(void *))
{
	let_go(&s->transaction_own);
	s->transaction_own = (struct smtpd_owned){ data, destroy };
	if (!s->open)
		let_go(&s->transaction_own);
}

void *
smtpd_session_transaction_data(const struct smtpd_session *s)
{
	return s->transaction_own.data;
}
