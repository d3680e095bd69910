/* SPDX-License-Identifier: MIT */
#include <smtpd/server.h>

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/text.h"
#include "grammar/param.h"
#include "net/listeners.h"
#include "os/clock.h"
#include "os/condition.h"
#include "os/pages.h"
#include "server/command_loop.h"
#include "server/limits.h"
#include "server/pool.h"
#include "server/session_state.h"
#include "server/settings.h"
#include "server/verbs.h"

/* Room for all keywords of the caller in one reply to EHLO. */
#define KEYWORDS_MAX 600

/* What there is to know of a listener besides its socket. */
struct door {
	unsigned flags;        /* of enum smtpd_listen_flag */
	struct smtpd_tls *tls; /* its own, or NULL: the server's */
};

struct smtpd_server {
	struct smtpd_server_config config;
	struct smtpd_owned own;
	struct smtpd_listeners listeners;
	struct door *doors; /* one for each listener */
	size_t ndoors;
	struct smtpd_pool pool;
	char error[256];

	/* The lock guards what follows. */
	pthread_mutex_t lock;
	bool started;        /* there is a pool to stop */
	pthread_cond_t gone; /* a session ended */
	struct smtpd_limits limits;
	struct smtpd_session *sessions;
	struct smtpd_tls *tls; /* and that of each door */
	bool draining;
};

/* Keep the reason of a failure; returns -1 for the caller to return. */
static int fail(struct smtpd_server *srv, const char *format, ...)
    SMTPD_PRINTF(2, 3);

static int
fail(struct smtpd_server *srv, const char *format, ...)
{
	struct smtpd_text t;
	va_list ap;

	smtpd__text_init(&t, srv->error, sizeof(srv->error));
	va_start(ap, format);
	smtpd__text_vformat(&t, format, ap);
	va_end(ap);
	return -1;
}

static int
fail_errno(struct smtpd_server *srv, const char *what, int error)
{
	char reason[128];

	if (strerror_r(error, reason, sizeof(reason)) != 0)
		reason[0] = '\0';
	fail(srv, "%s: %s", what, reason);
	errno = error;
	return -1;
}

static int
fail_memory(struct smtpd_server *srv)
{
	return fail_errno(srv, "out of memory", ENOMEM);
}

static void
init_locks(struct smtpd_server *srv)
{
	pthread_mutex_init(&srv->lock, NULL);
	smtpd__condition_init(&srv->gone);
}

struct smtpd_server *
smtpd_server_create(const struct smtpd_settings *settings)
{
	struct smtpd_server *srv = calloc(1, sizeof(*srv));

	if (srv == NULL)
		return NULL;
	init_locks(srv);
	smtpd__settings_init(&srv->config, settings);
	smtpd__listeners_init(&srv->listeners);
	smtpd__limits_init(&srv->limits, &srv->config.settings);
	srv->config.server = srv;
	if (smtpd__verbs_install(&srv->config) != 0) {
		smtpd_server_destroy(srv);
		return NULL;
	}
	return srv;
}

void
smtpd_server_destroy(struct smtpd_server *srv)
{
	if (srv == NULL)
		return;
	smtpd_server_drain(srv, 0);
	if (srv->own.destroy != NULL)
		srv->own.destroy(srv->own.data);
	smtpd__listeners_finish(&srv->listeners);
	for (size_t i = 0; i < srv->ndoors; i++)
		smtpd_tls_unref(srv->doors[i].tls);
	free(srv->doors);
	smtpd_tls_unref(srv->tls);
	smtpd__limits_finish(&srv->limits);
	smtpd__settings_finish(&srv->config);
	pthread_cond_destroy(&srv->gone);
	pthread_mutex_destroy(&srv->lock);
	free(srv);
}

const char *
smtpd_server_error(const struct smtpd_server *srv)
{
	return srv->error;
}

void
smtpd_server_set_data(
    struct smtpd_server *srv, void *data, void (*destroy)(void *))
{
	if (srv->own.destroy != NULL)
		srv->own.destroy(srv->own.data);
	srv->own = (struct smtpd_owned){ data, destroy };
}

void *
smtpd_server_data(const struct smtpd_server *srv)
{
	return srv->own.data;
}

/* Write the upper case of VERB to NAME; whether it can be a verb. */
static bool
take_verb_name(char name[SMTPD_VERB_MAX + 1], const char *verb)
{
	size_t len = strlen(verb);

	if (len == 0 || len > SMTPD_VERB_MAX)
		return false;
	for (size_t i = 0; i <= len; i++) {
		if (i < len && !smtpd__text_is_alpha((unsigned char)verb[i]))
			return false;
		name[i] = (char)smtpd__text_to_upper((unsigned char)verb[i]);
	}
	return true;
}

static unsigned
states_of(unsigned flags)
{
	if ((flags & SMTPD_VERB_TRANSACTION) != 0)
		return SMTPD_STATE_MAIL | SMTPD_STATE_RCPT;
	if ((flags & SMTPD_VERB_HELLO) != 0)
		return SMTPD_STATES_ANY & ~(unsigned)SMTPD_STATE_START;
	return SMTPD_STATES_ANY;
}

int
smtpd_server_add_verb(struct smtpd_server *srv, const char *name,
    unsigned flags, smtpd_handler_fn *fn, void *user)
{
	struct smtpd_verb verb = {
		.states = states_of(flags),
		.act = smtpd__verb_custom,
		.handler = fn,
		.user = user,
	};

	if ((flags & SMTPD_VERB_PIPELINED) == 0)
		verb.traits = SMTPD_TRAIT_LAST;
	if (!take_verb_name(verb.name, name))
		return fail(srv, "\"%s\" is no verb: 1 to %d letters", name,
		    SMTPD_VERB_MAX);
	if (smtpd__settings_verb(&srv->config, verb.name) != NULL)
		return fail(srv, "there is a verb %s already", verb.name);
	if (smtpd__settings_add_verb(&srv->config, &verb) != 0)
		return fail_memory(srv);
	return 0;
}

int
smtpd_server_add_handler(struct smtpd_server *srv, const char *verb,
    smtpd_handler_fn *fn, void *user)
{
	char name[SMTPD_VERB_MAX + 1];
	struct smtpd_verb *known;

	if (!take_verb_name(name, verb))
		return fail(srv, "\"%s\" is no verb: 1 to %d letters", verb,
		    SMTPD_VERB_MAX);
	known = smtpd__settings_verb(&srv->config, name);
	if (known == NULL)
		return smtpd_server_add_verb(srv, name, 0, fn, user);
	known->handler = fn;
	known->user = user;
	return 0;
}

int
smtpd_server_add_keyword(struct smtpd_server *srv, const char *keyword)
{
	struct smtpd_names *list = &srv->config.keywords;
	size_t len = strlen(keyword) + 1;

	for (const char *c = keyword; *c != '\0'; c++)
		if (*c < ' ' || *c > '~')
			return fail(srv, "a keyword is printable ASCII");
	for (size_t i = 0; i < list->count; i++)
		len += strlen(list->names[i]) + 1;
	if (keyword[0] == '\0' || len > KEYWORDS_MAX)
		return fail(srv, "no room for keyword \"%s\"", keyword);
	if (smtpd__settings_names_add(list, keyword) != 0)
		return fail_memory(srv);
	return 0;
}

int
smtpd_server_add_param(
    struct smtpd_server *srv, const char *verb, const char *name)
{
	struct smtpd_names *list;

	if (!smtpd__param_name_is_valid(name))
		return fail(srv, "\"%s\" is no name of a parameter", name);
	if (smtpd__text_same(verb, "MAIL"))
		list = &srv->config.mail_params;
	else if (smtpd__text_same(verb, "RCPT"))
		list = &srv->config.rcpt_params;
	else
		return fail(srv, "%s takes no parameters", verb);
	if (smtpd__settings_names_add(list, name) != 0)
		return fail_memory(srv);
	return 0;
}

void
smtpd_server_set_deliver(
    struct smtpd_server *srv, smtpd_deliver_fn *fn, void *user)
{
	srv->config.deliver = fn;
	srv->config.deliver_user = user;
}

void
smtpd_server_add_events(
    struct smtpd_server *srv, const struct smtpd_events *events)
{
	srv->config.events = *events;
}

/* Remember the FLAGS of the listener that was just added. */
static int
add_door(struct smtpd_server *srv, unsigned flags)
{
	struct door *more =
	    realloc(srv->doors, (srv->ndoors + 1) * sizeof(*more));

	if (more == NULL)
		return fail_memory(srv);
	more[srv->ndoors++] = (struct door){ .flags = flags };
	srv->doors = more;
	return 0;
}

int
smtpd_server_listen(
    struct smtpd_server *srv, const char *address, unsigned flags)
{
	struct smtpd_sockaddr a;
	int error;

	if (smtpd__socket_parse(address, &a) != 0)
		return fail(srv,
		    "\"%s\" is no address: say 192.0.2.1:25, "
		    "[2001:db8::1]:25 or /path",
		    address);
	error = smtpd__listeners_add(&srv->listeners, &a);
	return error == 0 ? add_door(srv, flags)
			  : fail_errno(srv, address, error);
}

int
smtpd_server_listen_fd(struct smtpd_server *srv, int fd, unsigned flags)
{
	int error = smtpd__listeners_add_fd(&srv->listeners, fd);

	return error == 0 ? add_door(srv, flags)
			  : fail_errno(srv, "descriptor", error);
}

/* Put a reference to TLS where *AT has one, and drop that. */
static int
replace_tls(
    struct smtpd_server *srv, struct smtpd_tls **at, struct smtpd_tls *tls)
{
	struct smtpd_tls *old;

	if (tls != NULL && !smtpd__tls_context_freeze(tls))
		return fail(srv, "the TLS context has no certificate");
	if (tls != NULL)
		smtpd_tls_ref(tls);
	pthread_mutex_lock(&srv->lock);
	old = *at;
	*at = tls;
	pthread_mutex_unlock(&srv->lock);
	smtpd_tls_unref(old);
	return 0;
}

int
smtpd_server_set_tls(struct smtpd_server *srv, struct smtpd_tls *tls)
{
	return replace_tls(srv, &srv->tls, tls);
}

int
smtpd_server_set_listener_tls(
    struct smtpd_server *srv, size_t i, struct smtpd_tls *tls)
{
	if (i >= srv->ndoors)
		return fail(srv, "there is no listener %zu", i);
	return replace_tls(srv, &srv->doors[i].tls, tls);
}

const char *
smtpd_server_address(const struct smtpd_server *srv, size_t i)
{
	return smtpd__listeners_address(&srv->listeners, i);
}

/*
 * Put S, which came through DOOR (or NULL), in the list of all sessions, and
 * give it the TLS of this moment; false when it comes too late.
 */
static bool
enter(
    struct smtpd_server *srv, struct smtpd_session *s, const struct door *door)
{
	struct smtpd_tls *tls;
	bool entered;

	pthread_mutex_lock(&srv->lock);
	entered = !srv->draining;
	if (entered) {
		s->next = srv->sessions;
		if (s->next != NULL)
			s->next->prev = s;
		srv->sessions = s;
		tls = door != NULL && door->tls != NULL ? door->tls : srv->tls;
		s->tls = tls != NULL ? smtpd_tls_ref(tls) : NULL;
	}
	pthread_mutex_unlock(&srv->lock);
	return entered;
}

/* Take S out again, and the ticket T of its connection with it. */
static void
leave(struct smtpd_server *srv, struct smtpd_session *s, struct smtpd_slot *t)
{
	pthread_mutex_lock(&srv->lock);
	if (s->prev != NULL)
		s->prev->next = s->next;
	else
		srv->sessions = s->next;
	if (s->next != NULL)
		s->next->prev = s->prev;
	if (t != NULL)
		smtpd__limits_leave(&srv->limits, t);
	pthread_cond_broadcast(&srv->gone);
	pthread_mutex_unlock(&srv->lock);
}

/* Close a connection that gets no session, C, with one reply and without
 * waiting.  Where TLS begins at once there is no reply. */
static void
turn_away(struct smtpd_server *srv, const struct smtpd_connection *c,
    const char *status, const char *text)
{
	char line[128];
	struct smtpd_text t;

	smtpd__text_init(&t, line, sizeof(line));
	smtpd__text_format(&t, "421 %s %s\r\n", status, text);
	smtpd__settings_count(
	    &srv->config, SMTPD_COUNT(refused_connections), 1);
	if ((srv->doors[c->listener].flags & SMTPD_LISTEN_TLS) == 0)
		send(c->fd, line, t.len, MSG_NOSIGNAL | MSG_DONTWAIT);
	close(c->fd);
}

/* Whether connection C may have a session; else it is told. */
static bool
admit(struct smtpd_server *srv, struct smtpd_connection *c)
{
	enum smtpd_admission verdict;
	char host[48];

	pthread_mutex_lock(&srv->lock);
	verdict = smtpd__limits_admit(&srv->limits, &c->peer, &c->ticket);
	pthread_mutex_unlock(&srv->lock);
	if (verdict == SMTPD_ADMITTED)
		return true;
	if (verdict == SMTPD_PEER_FULL)
		turn_away(srv, c, "4.7.0", "too many connections from you");
	else
		turn_away(srv, c, "4.3.2", "too many connections");
	smtpd__socket_host(&c->peer, host, sizeof(host));
	smtpd__logger_write(&srv->config.logger, SMTPD_LOG_INFO,
	    "refused peer=%s reason=\"%s\"", host,
	    verdict == SMTPD_PEER_FULL ? "too many connections from it"
				       : "too many connections");
	return false;
}

static bool
next_connection(void *owner, struct smtpd_connection *c)
{
	struct smtpd_server *srv = owner;
	int error;

	for (;;) {
		c->fd = smtpd__listeners_accept(
		    &srv->listeners, &c->peer, &c->listener, &error);
		if (c->fd >= 0 && admit(srv, c))
			return true;
		if (c->fd >= 0)
			continue;
		if (error == 0)
			return false;
		smtpd__settings_count(&srv->config, SMTPD_COUNT(errors), 1);
		smtpd__logger_write(&srv->config.logger, SMTPD_LOG_ERROR,
		    "cannot accept connections, errno=%d: waiting a moment",
		    error);
		smtpd__listeners_pause(&srv->listeners);
	}
}

/*
 * Run one session from its first to its last byte.  C is its connection, but
 * NULL for smtpd_server_serve().
 */
static int
run_session(struct smtpd_server *srv, const struct smtpd_worker *w, int in,
    int out, const struct smtpd_sockaddr *peer, struct smtpd_connection *c)
{
	const struct door *door = c != NULL ? &srv->doors[c->listener] : NULL;
	struct smtpd_session s;

	smtpd__session_init(
	    &s, &srv->config, w->ws, w->stack_bottom, in, out, peer);
	s.stream.wire.quick = c != NULL;
	s.tls_first = door != NULL && (door->flags & SMTPD_LISTEN_TLS) != 0;
	if (!enter(srv, &s, door))
		return -1;
	smtpd__settings_count(&srv->config, SMTPD_COUNT(connections), 1);
	smtpd__settings_count(&srv->config, SMTPD_COUNT(connections_now), 1);
	smtpd__command_loop_run(&s);
	smtpd__session_finish(&s);
	smtpd__settings_count(&srv->config, SMTPD_COUNT(connections_now), -1);
	leave(srv, &s, c != NULL ? &c->ticket : NULL);
	return 0;
}

static void
refuse_connection(void *owner, struct smtpd_connection *c)
{
	struct smtpd_server *srv = owner;

	turn_away(srv, c, "4.3.2", "no thread for you, try again later");
	pthread_mutex_lock(&srv->lock);
	smtpd__limits_leave(&srv->limits, &c->ticket);
	pthread_mutex_unlock(&srv->lock);
	smtpd__settings_count(&srv->config, SMTPD_COUNT(errors), 1);
	smtpd__logger_write(&srv->config.logger, SMTPD_LOG_ERROR,
	    "cannot make a thread: a connection was refused");
}

static void
serve_connection(
    void *owner, struct smtpd_connection *c, struct smtpd_worker *w)
{
	struct smtpd_server *srv = owner;

	if (run_session(srv, w, c->fd, c->fd, &c->peer, c) == 0) {
		close(c->fd);
		return;
	}
	turn_away(srv, c, "4.3.2", "the server is stopping");
	pthread_mutex_lock(&srv->lock);
	smtpd__limits_leave(&srv->limits, &c->ticket);
	pthread_mutex_unlock(&srv->lock);
}

static const struct smtpd_pool_work pool_work = {
	.next = next_connection,
	.serve = serve_connection,
	.refuse = refuse_connection,
};

/* What must be right before any session. */
static int
check_settings(struct smtpd_server *srv)
{
	const char *fault = smtpd__settings_fault(&srv->config);

	if (fault != NULL)
		return fail(srv, "setting %s is out of its range", fault);
	if (srv->config.deliver == NULL)
		return fail(srv,
		    "nothing delivers: call smtpd_server_set_deliver() first");
	return 0;
}

int
smtpd_server_start(struct smtpd_server *srv)
{
	int error;

	if (check_settings(srv) != 0)
		return -1;
	if (srv->started || srv->draining)
		return fail(srv, "the server was started before");
	if (smtpd__listeners_address(&srv->listeners, 0) == NULL)
		return fail(
		    srv, "nothing to listen on: call smtpd_server_listen()");
	smtpd__pool_init(
	    &srv->pool, &pool_work, srv, srv->config.settings.stack_size);
	error = smtpd__pool_start(&srv->pool);
	if (error != 0) {
		smtpd__pool_finish(&srv->pool);
		return fail_errno(srv, "cannot make a thread", error);
	}
	srv->started = true;
	return 0;
}

int
smtpd_server_serve(struct smtpd_server *srv, int in, int out)
{
	struct smtpd_sockaddr peer = { .len = sizeof(peer.addr) };
	struct smtpd_worker w = { .stack_bottom = NULL };
	int result;

	if (check_settings(srv) != 0)
		return -1;
	if (getpeername(in, (struct sockaddr *)&peer.addr, &peer.len) != 0)
		peer.len = 0;
	w.ws = smtpd__workspace_create();
	if (w.ws == NULL)
		return fail_memory(srv);
	result = run_session(srv, &w, in, out, &peer, NULL);
	smtpd__workspace_destroy(w.ws);
	if (result != 0)
		fail(srv, "the server is stopping");
	return result;
}

/* Interrupt all sessions; return how many there are.  The lock is held. */
static int
interrupt_sessions(struct smtpd_server *srv, enum smtpd_interrupt what)
{
	int n = 0;

	for (struct smtpd_session *s = srv->sessions; s != NULL; s = s->next) {
		smtpd__wire_interrupt(&s->stream.wire, what);
		n++;
	}
	return n;
}

/* Wait up to TIMEOUT_MS until no session is left.  The lock is held. */
static void
wait_for_sessions(struct smtpd_server *srv, uint32_t timeout_ms)
{
	const struct timespec until = smtpd__condition_after(timeout_ms);
	int error = 0;

	while (srv->sessions != NULL && error == 0)
		error = smtpd__condition_wait(&srv->gone, &srv->lock,
		    timeout_ms == SMTPD_NO_TIMEOUT ? NULL : &until);
}

int
smtpd_server_drain(struct smtpd_server *srv, uint32_t timeout_ms)
{
	int cut_off = 0;
	bool started;

	smtpd__listeners_stop(&srv->listeners);
	pthread_mutex_lock(&srv->lock);
	srv->draining = true;
	interrupt_sessions(srv, SMTPD_INTERRUPT_LINE);
	wait_for_sessions(srv, timeout_ms);
	if (srv->sessions != NULL) {
		cut_off = interrupt_sessions(srv, SMTPD_INTERRUPT_ALL);
		wait_for_sessions(srv, SMTPD_NO_TIMEOUT);
	}
	started = srv->started;
	srv->started = false;
	pthread_mutex_unlock(&srv->lock);
	if (started) {
		smtpd__pool_stop(&srv->pool);
		smtpd__pool_finish(&srv->pool);
	}
	return cut_off;
}

void
smtpd_server_count(
    const struct smtpd_server *srv, struct smtpd_server_counters *out)
{
	uint64_t values[sizeof(*out) / sizeof(uint64_t)];

	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
		values[i] = atomic_load_explicit(
		    &srv->config.counts[i], memory_order_relaxed);
	memcpy(out, values, sizeof(*out));
	out->threads_now = atomic_load(&srv->pool.threads);
}
