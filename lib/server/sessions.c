/* SPDX-License-Identifier: MIT */
#include "server/sessions.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/container.h"
#include "os/clock.h"
#include "server/command_loop.h"
#include "server/session_list.h"
#include "server/session_state.h"

/* See to it that W has a workspace. */
static bool
have_workspace(struct smtpd_worker *w)
{
	if (w->ws == NULL)
		w->ws = smtpd__session_create_workspace();
	return w->ws != NULL;
}

/* WS is needed by no session any more. */
static void
return_workspace(struct smtpd_worker *w, struct smtpd_workspace *ws)
{
	if (w->ws == NULL)
		w->ws = ws;
	else if (w->ws != ws)
		smtpd__session_destroy_workspace(ws);
}

/* Have S wait without a thread.  Return false when it cannot, and keeps this
 * one for the rest of its time. */
static bool
park_session(
    struct smtpd_server *srv, struct smtpd_worker *w, struct smtpd_session *s)
{
	struct smtpd_workspace *own = s->ws;
	struct smtpd_workspace *ws = smtpd__session_rest(s);

	if (ws != NULL)
		return_workspace(w, ws);
	else if (w->ws == own)
		w->ws = NULL;
	if (smtpd__session_list_park(srv, s))
		return true;
	if (w->ws == NULL)
		w->ws = own;
	s->may_park = false;
	smtpd__session_list_set_thread(srv, s);
	smtpd__session_resume(s, w->ws, 0);
	return false;
}

/* S is over. */
static void
end_session(
    struct smtpd_server *srv, struct smtpd_worker *w, struct smtpd_session *s)
{
	smtpd__session_finish(s);
	return_workspace(w, s->ws);
	smtpd__counters_add(
	    &srv->config.counters, SMTPD_COUNTER_CONNECTIONS_NOW, -1);
	if (s->admitted)
		smtpd__parking_leave(&srv->parking, &s->place);
	smtpd__session_list_leave(srv, s);
	if (s->admitted)
		close(s->stream.wire.in);
	free(s);
}

/* Run S until it is over, and free it; or return true once it is parked. */
static bool
run_session(
    struct smtpd_server *srv, struct smtpd_worker *w, struct smtpd_session *s)
{
	while (!smtpd__command_loop_run(s)) {
		if (park_session(srv, w, s))
			return true;
	}
	end_session(srv, w, s);
	return false;
}

/* Enter S, which came through listener OPTIONS (or NULL) with FLAGS; false: it
 * comes too late. */
static bool
enter_session(struct smtpd_server *srv, struct smtpd_session *s,
    const struct smtpd_listener_options *options, unsigned flags)
{
	struct smtpd_counters *counters = &srv->config.counters;

	s->tls_first = (flags & SMTPD_LISTEN_TLS) != 0;
	s->lmtp = (flags & SMTPD_LISTEN_LMTP) != 0;
	if (!smtpd__session_list_enter(srv, s, options))
		return false;
	smtpd__counters_add(counters, SMTPD_COUNTER_CONNECTIONS, 1);
	smtpd__counters_add(counters, SMTPD_COUNTER_CONNECTIONS_NOW, 1);
	return true;
}

/* Make a session of connection C, and enter it.  Return NULL likewise, or
 * without memory. */
static struct smtpd_session *
admit_session(struct smtpd_server *srv, const struct smtpd_connection *c)
{
	struct smtpd_session *s = malloc(sizeof(*s));

	if (s == NULL) {
		errno = ENOMEM;
		return NULL;
	}
	smtpd__session_init(s, &srv->config, c->fd, c->fd, &c->peer);
	s->uid_known = c->has_user;
	s->uid = c->has_user ? c->uid : 0;
	s->slot = c->slot;
	s->admitted = s->may_park = true;
	s->stream.wire.quick = smtpd__socket_set_rest(c->fd) == 0;
	if (enter_session(srv, s, c->options, c->flags))
		return s;
	free(s);
	errno = ESHUTDOWN;
	return NULL;
}

/* Have the calling thread run S, in a workspace of W, which there is, from its
 * beginning or after MS milliseconds, until it is over or parked: then return
 * true. */
static bool
resume_session(struct smtpd_server *srv, struct smtpd_worker *w,
    struct smtpd_session *s, uint64_t ms)
{
	smtpd__session_list_set_thread(srv, s);
	smtpd__session_resume(s, w->ws, ms);
	if (!s->begun)
		smtpd__command_loop_begin(s);
	else if (s->place.why != SMTPD_IO_OK)
		smtpd__command_loop_break_off(s, s->place.why);
	s->begun = true;
	return run_session(srv, w, s);
}

int
smtpd__sessions_begin(struct smtpd_server *srv, struct smtpd_worker *w,
    const struct smtpd_connection *c, bool *parked)
{
	struct smtpd_session *s;

	if (!have_workspace(w)) {
		errno = ENOMEM;
		return -1;
	}
	s = admit_session(srv, c);
	if (s == NULL)
		return -1;
	*parked = resume_session(srv, w, s, 0);
	return 0;
}

int
smtpd__sessions_adopt(
    struct smtpd_server *srv, const struct smtpd_connection *c)
{
	struct smtpd_session *s = admit_session(srv, c);

	if (s == NULL)
		return -1;
	smtpd__parking_begin(&srv->parking, &s->place);
	return 0;
}

struct smtpd_session *
smtpd__sessions_take(struct smtpd_server *srv)
{
	struct smtpd_place *at = smtpd__parking_take(&srv->parking);

	return at != NULL ? SMTPD_CONTAINER_OF(at, struct smtpd_session, place)
			  : NULL;
}

void
smtpd__sessions_put_back(struct smtpd_server *srv, struct smtpd_session *s)
{
	smtpd__parking_put_back(&srv->parking, &s->place);
}

bool
smtpd__sessions_go_on(
    struct smtpd_server *srv, struct smtpd_worker *w, struct smtpd_session *s)
{
	uint64_t ms = s->begun ? smtpd__clock_ms() - s->place.since : 0;

	if (s->ws == NULL && !have_workspace(w)) {
		smtpd__sessions_put_back(srv, s);
		return true;
	}
	return resume_session(srv, w, s, ms);
}

int
smtpd__sessions_serve(struct smtpd_server *srv, int in, int out, unsigned flags)
{
	struct smtpd_session *s = malloc(sizeof(*s));
	struct smtpd_worker w = { NULL };
	struct smtpd_sockaddr peer;

	if (s == NULL || !have_workspace(&w)) {
		free(s);
		errno = ENOMEM;
		return -1;
	}
	smtpd__socket_peer(in, &peer);
	smtpd__session_init(s, &srv->config, in, out, &peer);
	if (!enter_session(srv, s, NULL, flags)) {
		smtpd__session_destroy_workspace(w.ws);
		free(s);
		errno = ESHUTDOWN;
		return -1;
	}
	resume_session(srv, &w, s, 0);
	smtpd__session_destroy_workspace(w.ws);
	return 0;
}
