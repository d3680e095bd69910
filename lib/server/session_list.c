/* SPDX-License-Identifier: MIT */
#include "server/session_list.h"

#include <smtpd/cancel.h>

#include "base/container.h"
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
smtpd__session_list_tell_end(struct smtpd_server *srv)
{
	if (srv->over != NULL && srv->draining && srv->sessions == NULL)
		smtpd_cancel_trigger(srv->over);
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
	if (s->admitted)
		smtpd__limits_leave(&srv->limits, &s->slot);
	srv->limits.leaving -= s->evicted;
	smtpd__session_list_tell_end(srv);
	pthread_cond_broadcast(&srv->gone);
	pthread_mutex_unlock(&srv->lock);
}

void
smtpd__session_list_set_thread(
    struct smtpd_server *srv, struct smtpd_session *s)
{
	pthread_mutex_lock(&srv->lock);
	s->thread = pthread_self();
	s->runs = true;
	pthread_mutex_unlock(&srv->lock);
}

bool
smtpd__session_list_park(struct smtpd_server *srv, struct smtpd_session *s)
{
	/* What has had the last reply goes its way, unless it is cut off. */
	const enum smtpd_interrupt stop =
	    s->closing ? SMTPD_INTERRUPT_ALL : SMTPD_INTERRUPT_LINE;
	bool parked;

	/* An interrupt comes before this, or finds it parked. */
	pthread_mutex_lock(&srv->lock);
	s->runs = false;
	parked = smtpd__wire_interrupted(&s->stream.wire) < stop &&
	    smtpd__parking_add(&srv->parking, &s->place, s->stream.wire.in,
		s->stream.wait_deadline) == 0;
	pthread_mutex_unlock(&srv->lock);
	return parked;
}

bool
smtpd__session_list_own_thread(const struct smtpd_server *srv)
{
	const struct smtpd_session *s = srv->sessions;

	while (
	    s != NULL && !(s->runs && pthread_equal(s->thread, pthread_self())))
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
		if (what == SMTPD_INTERRUPT_ALL && s->cancel != NULL)
			smtpd_cancel_trigger(s->cancel);
		smtpd__parking_wake(
		    &srv->parking, &s->place, SMTPD_IO_INTERRUPTED);
		n++;
	}
	return n;
}

bool
smtpd__session_list_evict(struct smtpd_server *srv, uint64_t silent_ms)
{
	struct smtpd_place *oldest =
	    smtpd__parking_wake_oldest(&srv->parking, silent_ms);
	struct smtpd_session *s;

	if (oldest == NULL)
		return false;
	s = SMTPD_CONTAINER_OF(oldest, struct smtpd_session, place);
	s->evicted = true;
	srv->limits.leaving++;
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
