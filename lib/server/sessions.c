/* SPDX-License-Identifier: MIT */
#include "server/sessions.h"

#include "os/clock.h"
#include "os/condition.h"
#include "server/command_loop.h"
#include "server/session_state.h"

/*
 * Put S, which came through listener OPTIONS (or NULL), in the list of all
 * sessions, and give it the TLS of this moment; false when it comes too late.
 */
static bool
enter_list(struct smtpd_server *srv, struct smtpd_session *s,
    const struct smtpd_listener_options *options)
{
	bool entered;

	pthread_mutex_lock(&srv->lock);
	entered = !srv->draining;
	if (entered) {
		s->next = srv->sessions;
		if (s->next != NULL)
			s->next->prev = s;
		srv->sessions = s;
		s->tls = smtpd__listener_get_tls(srv, options);
	}
	pthread_mutex_unlock(&srv->lock);
	return entered;
}

/* Take S out again, and the SLOT of its connection with it. */
static void
leave_list(
    struct smtpd_server *srv, struct smtpd_session *s, struct smtpd_slot *slot)
{
	pthread_mutex_lock(&srv->lock);
	if (s->prev != NULL)
		s->prev->next = s->next;
	else
		srv->sessions = s->next;
	if (s->next != NULL)
		s->next->prev = s->prev;
	if (slot != NULL)
		smtpd__limits_leave(&srv->limits, slot);
	srv->limits.leaving -= atomic_load(&s->evicted);
	pthread_cond_broadcast(&srv->gone);
	pthread_mutex_unlock(&srv->lock);
}

int
smtpd__sessions_run(struct smtpd_server *srv, const struct smtpd_worker *w,
    int in, int out, const struct smtpd_sockaddr *peer,
    struct smtpd_connection *c)
{
	struct smtpd_counters *counters = &srv->config.counters;
	const struct smtpd_listener_options *options = NULL;
	struct smtpd_session s;

	smtpd__session_init(
	    &s, &srv->config, w->ws, w->stack_bottom, in, out, peer);
	s.thread = pthread_self();
	if (c != NULL) {
		options = &srv->options[c->listener];
		s.stream.wire.quick = smtpd__socket_set_rest(in) == 0;
		s.tls_first = (options->flags & SMTPD_LISTEN_TLS) != 0;
	}
	if (!enter_list(srv, &s, options))
		return -1;
	smtpd__counters_add(counters, SMTPD_COUNTER_CONNECTIONS, 1);
	smtpd__counters_add(counters, SMTPD_COUNTER_CONNECTIONS_NOW, 1);
	smtpd__command_loop_run(&s);
	smtpd__session_finish(&s);
	smtpd__counters_add(counters, SMTPD_COUNTER_CONNECTIONS_NOW, -1);
	leave_list(srv, &s, c != NULL ? &c->slot : NULL);
	return 0;
}

bool
smtpd__sessions_own_thread(const struct smtpd_server *srv)
{
	const struct smtpd_session *s = srv->sessions;

	while (s != NULL && !pthread_equal(s->thread, pthread_self()))
		s = s->next;
	return s != NULL;
}

int
smtpd__sessions_interrupt(struct smtpd_server *srv, enum smtpd_interrupt what)
{
	int n = 0;

	for (struct smtpd_session *s = srv->sessions; s != NULL; s = s->next) {
		smtpd__wire_interrupt(&s->stream.wire, what);
		n++;
	}
	return n;
}

bool
smtpd__sessions_evict(struct smtpd_server *srv, uint64_t silent_ms)
{
	struct smtpd_session *oldest = NULL;
	const uint64_t now = smtpd__clock_ms();
	uint64_t most = silent_ms;

	for (struct smtpd_session *s = srv->sessions; s != NULL; s = s->next) {
		uint64_t silent = smtpd__wire_rests_for(&s->stream.wire, now);

		if (silent >= most && !atomic_load(&s->evicted)) {
			oldest = s;
			most = silent;
		}
	}
	if (oldest == NULL)
		return false;
	atomic_store(&oldest->evicted, true);
	srv->limits.leaving++;
	smtpd__wire_interrupt(&oldest->stream.wire, SMTPD_INTERRUPT_LINE);
	return true;
}

void
smtpd__sessions_wait(struct smtpd_server *srv, uint32_t timeout_ms)
{
	const struct timespec until = smtpd__condition_after(timeout_ms);
	int error = 0;

	while (srv->sessions != NULL && error == 0)
		error = smtpd__condition_wait(&srv->gone, &srv->lock,
		    timeout_ms == SMTPD_NO_TIMEOUT ? NULL : &until);
}
