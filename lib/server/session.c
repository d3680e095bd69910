/* SPDX-License-Identifier: MIT */
#include "server/session_state.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "os/clock.h"
#include "os/pages.h"
#include "sasl/plain.h"
#include "server/auth_exchange.h"
#include "server/session_wait.h"

/* Heap for a transaction: as much as its recipients can need. */
#define ARENA_CAP_BASE     65536
#define ARENA_CAP_PER_RCPT 2048
#define ARENA_CAP_MAX      ((size_t)16 << 20)

struct smtpd_workspace *
smtpd__session_create_workspace(void)
{
	return smtpd__pages_map(sizeof(struct smtpd_workspace));
}

void
smtpd__session_destroy_workspace(struct smtpd_workspace *ws)
{
	smtpd__pages_unmap(ws, sizeof(*ws));
}

/* Return memory that a slow client does not need now to the system. */
static void
save_memory(void *arg)
{
	struct smtpd_session *s = arg;
	struct smtpd_workspace *ws = s->ws;
	size_t waiting;
	const char *input = smtpd__stream_peek(&s->stream, &waiting);
	char *unused = ws->in + (input - ws->in) + waiting;
	char *used = (char *)&ws->reply;

	if (waiting == 0)
		unused = ws->in;
	if (!s->open)
		used = (char *)(ws + 1);
	smtpd__pages_release(unused, (size_t)(used - unused));
	if (s->stream.tls != NULL)
		smtpd__tls_conn_save_memory(s->stream.tls);
}

static size_t
arena_cap(const struct smtpd_settings *settings)
{
	uint64_t cap = ARENA_CAP_BASE +
	    (uint64_t)settings->max_recipients * ARENA_CAP_PER_RCPT;

	return cap > ARENA_CAP_MAX ? ARENA_CAP_MAX : (size_t)cap;
}

/* Have S, which has no transaction, go on in WS. */
static void
use_workspace(struct smtpd_session *s, struct smtpd_workspace *ws)
{
	s->ws = ws;
	ws->reply.code = 0;
	smtpd__arena_init(&s->arena, ws->arena, sizeof(ws->arena),
	    arena_cap(&s->config->settings));
	s->arena.budget = &s->config->memory;
}

static void
set_times(struct smtpd_session *s)
{
	const struct smtpd_settings *settings = &s->config->settings;

	s->stream.idle_ms = settings->idle_timeout_ms;
	s->stream.wire.write_ms = settings->write_timeout_ms;
	s->stream.wire.budget_ms =
	    smtpd__clock_span(settings->session_timeout_ms);
}

void
smtpd__session_init(struct smtpd_session *s, struct smtpd_server_config *c,
    int in, int out, const struct smtpd_sockaddr *peer)
{
	memset(s, 0, sizeof(*s));
	s->config = c;
	smtpd__stream_init(&s->stream, in, out, NULL, NULL);
	s->stream.wire.rest = save_memory;
	s->stream.wire.rest_arg = s;
	set_times(s);
	s->id = atomic_fetch_add(&c->last_session, 1) + 1;
	smtpd__session_set_peer(s, peer);
	s->proxied = smtpd__network_list_has(&c->proxies, peer);
	s->state = SMTPD_STATE_START;
}

struct smtpd_workspace *
smtpd__session_rest(struct smtpd_session *s)
{
	struct smtpd_workspace *ws = s->ws;
	size_t waiting;

	smtpd__session_wait_release(s);
	smtpd__stream_peek(&s->stream, &waiting);
	if (waiting > 0 || s->open) {
		save_memory(s);
		return NULL;
	}
	if (s->stream.tls != NULL)
		smtpd__tls_conn_save_memory(s->stream.tls);
	s->ws = NULL;
	return ws;
}

void
smtpd__session_resume(
    struct smtpd_session *s, struct smtpd_workspace *ws, uint64_t ms)
{
	if (s->ws == NULL)
		use_workspace(s, ws);
	smtpd__stream_resume(&s->stream, s->ws->in, s->ws->out, ms);
}

void
smtpd__session_set_peer(
    struct smtpd_session *s, const struct smtpd_sockaddr *peer)
{
	s->peer = *peer;
	free(s->peer_name);
	s->peer_name = NULL;
	s->peer_confirmed = false;
	smtpd__socket_host(peer, s->peer_text, sizeof(s->peer_text));
	s->uid_known = smtpd__socket_is_local(peer) &&
	    smtpd__socket_uid(s->stream.wire.in, &s->uid) == 0;
}

void
smtpd__session_count_bytes(struct smtpd_session *s)
{
	struct smtpd_counters *c = &s->config->counters;
	const struct smtpd_wire *wire = &s->stream.wire;

	smtpd__counters_add(c, SMTPD_COUNTER_BYTES_IN,
	    (int64_t)(wire->bytes_in - s->counted_in));
	smtpd__counters_add(c, SMTPD_COUNTER_BYTES_OUT,
	    (int64_t)(wire->bytes_out - s->counted_out));
	s->counted_in = wire->bytes_in;
	s->counted_out = wire->bytes_out;
}

void
smtpd__session_finish(struct smtpd_session *s)
{
	smtpd__owned_clear(&s->transaction_own);
	smtpd__attached_clear(&s->attached);
	smtpd__owned_clear(&s->own);
	smtpd__arena_reset(&s->arena);
	smtpd__session_wait_release(s);
	smtpd__stream_finish(&s->stream);
	smtpd_tls_unref(s->tls);
	free(s->told);
	free(s->peer_name);
	smtpd__session_forget_user(s);
	smtpd__session_count_bytes(s);
}

const char *
smtpd__session_hello(const struct smtpd_session *s)
{
	return s->lmtp ? "LHLO" : "EHLO or HELO";
}

void
smtpd__session_forget_user(struct smtpd_session *s)
{
	free(s->user);
	s->user = NULL;
	s->mechanism[0] = '\0';
}

void
smtpd__session_count(struct smtpd_session *s, enum smtpd_counter which)
{
	smtpd__counters_add(&s->config->counters, which, 1);
}

void
smtpd__session_close(struct smtpd_session *s, enum smtpd_close why)
{
	s->closing = true;
	s->why = why;
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

const char *
smtpd_session_peer_name(const struct smtpd_session *s)
{
	return s->peer_confirmed ? s->peer_name : NULL;
}

const char *
smtpd_session_peer_ptr(const struct smtpd_session *s)
{
	return s->peer_name;
}

int
smtpd_session_set_peer_name(
    struct smtpd_session *s, const char *name, bool confirmed)
{
	char *copy = name != NULL ? strdup(name) : NULL;

	if (name != NULL && copy == NULL)
		return -1;
	free(s->peer_name);
	s->peer_name = copy;
	s->peer_confirmed = confirmed && copy != NULL;
	return 0;
}

const char *
smtpd_session_proxy(const struct smtpd_session *s)
{
	return s->proxy_text[0] != '\0' ? s->proxy_text : NULL;
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
	if (!s->uid_known) {
		errno = ENODATA;
		return -1;
	}
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

const char *
smtpd_session_user(const struct smtpd_session *s)
{
	return s->user;
}

const char *
smtpd_session_mechanism(const struct smtpd_session *s)
{
	return s->mechanism[0] != '\0' ? s->mechanism : NULL;
}

int
smtpd_session_set_user(struct smtpd_session *s, const char *name)
{
	char **user = s->auth != NULL ? &s->auth->user : &s->user;
	char *copy;

	if (name == NULL || !smtpd__plain_is_name(name)) {
		errno = EINVAL;
		return -1;
	}
	copy = strdup(name);
	if (copy == NULL)
		return -1;
	free(*user);
	*user = copy;
	return 0;
}

bool
smtpd_session_lmtp(const struct smtpd_session *s)
{
	return s->lmtp;
}

const struct smtpd_tls_info *
smtpd_session_tls(const struct smtpd_session *s)
{
	if (s->stream.tls == NULL)
		return NULL;
	return smtpd__tls_conn_info(s->stream.tls);
}

void
smtpd_session_set_data(
    struct smtpd_session *s, void *data, void (*destroy)(void *))
{
	smtpd__owned_set(&s->own, data, destroy);
}

void *
smtpd_session_data(const struct smtpd_session *s)
{
	return s->own.data;
}
