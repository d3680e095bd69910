/* SPDX-License-Identifier: MIT */
#include "server/session_wait.h"

#include <errno.h>
#include <poll.h>

#include "os/cancel.h"
#include "os/clock.h"
#include "os/poll.h"
#include "server/server_state.h"

/* When waits end, since the client waits for the reply to a message. */
static uint64_t
deadline_of(const struct smtpd_session *s)
{
	if (s->ended_ms == 0)
		return SMTPD_NEVER;
	return smtpd__clock_after(
	    s->ended_ms, s->config->settings.delivery_timeout_ms);
}

/* Make what ends the waits of S, and show it to those who stop the server. */
static void
make_cancel(struct smtpd_session *s)
{
	struct smtpd_server *srv = s->config->server;
	struct smtpd_wire *wire = &s->stream.wire;
	struct smtpd_cancel *c =
	    smtpd__cancel_create_for(wire->in_socket ? wire->in : -1);

	if (c == NULL)
		return;
	if (deadline_of(s) != SMTPD_NEVER)
		smtpd__cancel_set_deadline(c, deadline_of(s));
	pthread_mutex_lock(&srv->lock);
	s->cancel = c;
	if (smtpd__wire_interrupted(wire) == SMTPD_INTERRUPT_ALL)
		smtpd_cancel_trigger(c);
	pthread_mutex_unlock(&srv->lock);
}

void
smtpd__session_wait_release(struct smtpd_session *s)
{
	struct smtpd_server *srv = s->config->server;
	struct smtpd_cancel *c = s->cancel;

	if (c == NULL)
		return;
	pthread_mutex_lock(&srv->lock);
	s->cancel = NULL;
	pthread_mutex_unlock(&srv->lock);
	smtpd_cancel_destroy(c);
}

void
smtpd__session_wait_note_end(struct smtpd_session *s)
{
	if (s->ended_ms != 0)
		return;
	s->ended_ms = smtpd__clock_ms();
	if (s->cancel != NULL)
		smtpd__cancel_set_deadline(s->cancel, deadline_of(s));
}

void
smtpd__session_wait_forget_end(struct smtpd_session *s)
{
	s->ended_ms = 0;
	if (s->cancel != NULL)
		smtpd__cancel_set_deadline(s->cancel, SMTPD_NEVER);
}

struct smtpd_cancel *
smtpd_session_cancel(struct smtpd_session *s)
{
	size_t waiting;

	if (s->cancel == NULL)
		make_cancel(s);
	if (s->cancel == NULL || !s->stream.wire.in_socket)
		return s->cancel;
	/* One that has said more may have said all, and wait for replies. */
	smtpd__stream_peek(&s->stream, &waiting);
	smtpd__cancel_watch_input(s->cancel, s->stream.wire.in, waiting == 0);
	return s->cancel;
}

/* What poll() says of FD for EVENTS at once; -1 with errno. */
static int
look_at(int fd, short events)
{
	struct pollfd found = { .fd = fd, .events = events };

	if (poll(&found, 1, 0) == -1)
		return -1;
	if ((found.revents & POLLNVAL) == 0)
		return found.revents;
	errno = EBADF;
	return -1;
}

int
smtpd_session_wait(
    struct smtpd_session *s, int fd, short events, uint32_t timeout_ms)
{
	const uint64_t deadline =
	    smtpd__clock_after(smtpd__clock_ms(), timeout_ms);
	struct smtpd_cancel *cancel = smtpd_session_cancel(s);

	if (cancel == NULL)
		return -1;
	/* What was answered before is not kept waiting. */
	smtpd__stream_flush(&s->stream);
	switch (
	    smtpd__poll_wait(fd, events, smtpd_cancel_fd(cancel), deadline)) {
	case SMTPD_POLL_READY:
		return look_at(fd, events);
	case SMTPD_POLL_CANCELLED:
		errno = ECANCELED;
		return -1;
	case SMTPD_POLL_ERROR:
		return -1;
	case SMTPD_POLL_TIMEOUT:
		break;
	}
	return 0;
}
