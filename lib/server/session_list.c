/* SPDX-License-Identifier: MIT */
#include "server/session_list.h"

#include "os/clock.h"
#include "os/condition.h"
#include "server/session_state.h"

bool
smtpd__session_list_enter(struct smtpd_server *srv, struct smtpd_session *s,
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

void
smtpd__session_list_leave(struct smtpd_server *srv, struct smtpd_session *s)
{
	pthread_mutex_lock(&srv->lock);
	if (s->prev != NULL)
		s->prev->next = s->next;
	else
		srv->sessions = s->next;
	if (s->next != NULL)
		s->next->prev = s->prev;
	if (s->slot != NULL)
		smtpd__limits_leave(&srv->limits, s->slot);
	srv->limits.leaving -= atomic_load(&s->evicted);
	pthread_cond_broadcast(&srv->gone);
	pthread_mutex_unlock(&srv->lock);
}

bool
smtpd__session_list_own_thread(const struct smtpd_server *srv)
{
	const struct smtpd_session *s = srv->sessions;

	while (s != NULL && !pthread_equal(s->thread, pthread_self()))
		s = s->next;
	return s != NULL;
}

int
smtpd__session_list_interrupt(
    struct smtpd_server *srv, enum smtpd_interrupt what)
{
	int n = 0;

	for (struct smtpd_session *s = srv->sessions; s != NULL; s = s->next) {
		smtpd__wire_interrupt(&s->stream.wire, what);
		n++;
	}
	return n;
}

bool
smtpd__session_list_evict(struct smtpd_server *srv, uint64_t silent_ms)
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
smtpd__session_list_wait(struct smtpd_server *srv, uint32_t timeout_ms)
{
	const struct timespec until = smtpd__condition_after(timeout_ms);
	int error = 0;

	while (srv->sessions != NULL && error == 0)
		error = smtpd__condition_wait(&srv->gone, &srv->lock,
		    timeout_ms == SMTPD_NO_TIMEOUT ? NULL : &until);
}
