/* SPDX-License-Identifier: MIT */
#include "server/admission.h"

#include <sys/socket.h>
#include <unistd.h>

#include "grammar/reply.h"
#include "os/clock.h"
#include "server/server_state.h"
#include "server/session_state.h"
#include "server/sessions.h"

/* Room for a reply of one line. */
#define REPLY_SIZE 512

/* Where there are too many connections, one that has been silent for so long
 * makes room. */
#define SILENT_MS 10000

/* Close a connection that gets no session, C, with reply KEY and without
 * waiting.  Where TLS begins at once there is no reply. */
static void
turn_away(struct smtpd_server *srv, const struct smtpd_connection *c,
    enum smtpd_reply_key key)
{
	struct smtpd_reply reply;
	char line[REPLY_SIZE];
	size_t len;

	smtpd__counters_add(
	    &srv->config.counters, SMTPD_COUNTER_REFUSED_CONNECTIONS, 1);
	if (!smtpd__listener_begins_with_tls(srv, c->listener)) {
		smtpd__replies_write(&srv->config.replies, key, NULL, &reply);
		len = smtpd__reply_write(&reply, line, sizeof(line));
		send(c->fd, line, len, MSG_NOSIGNAL | MSG_DONTWAIT);
	}
	close(c->fd);
}

static void
release_slot(struct smtpd_server *srv, struct smtpd_connection *c)
{
	pthread_mutex_lock(&srv->lock);
	smtpd__limits_leave(&srv->limits, &c->slot);
	pthread_mutex_unlock(&srv->lock);
}

/* How many refused connections had no line of their own. */
static void
log_sum(const struct smtpd_server *srv, uint32_t more)
{
	if (more > 0)
		smtpd__logger_write(&srv->config.logger, SMTPD_LOG_INFO,
		    "refused connections=%lu reason=\"as logged before\"",
		    (unsigned long)more);
}

/* Log that a connection from PEER was refused for REASON: one line a second,
 * and the sum of the others later. */
static void
log_refused(struct smtpd_server *srv, enum smtpd_log_level level,
    const struct smtpd_sockaddr *peer, const char *reason)
{
	const uint64_t second = smtpd__clock_ms() / 1000;
	char host[SMTPD_ADDRESS_TEXT_SIZE];
	uint32_t more;
	bool same;

	pthread_mutex_lock(&srv->lock);
	same = srv->refused_second == second;
	srv->refused_second = second;
	more = srv->refused_more;
	srv->refused_more = same ? more + 1 : 0;
	pthread_mutex_unlock(&srv->lock);
	if (same)
		return;
	log_sum(srv, more);
	smtpd__socket_host(peer, host, sizeof(host));
	smtpd__logger_write(&srv->config.logger, level,
	    "refused peer=%s reason=\"%s\"", host, reason);
}

void
smtpd__admission_log_rest(struct smtpd_server *srv)
{
	uint32_t more;

	pthread_mutex_lock(&srv->lock);
	more = srv->refused_more;
	srv->refused_more = 0;
	pthread_mutex_unlock(&srv->lock);
	log_sum(srv, more);
}

/* Whether connection C may have a session; else it is told. */
static bool
is_admitted(struct smtpd_server *srv, struct smtpd_connection *c)
{
	enum smtpd_admission status;
	uid_t uid;
	const uid_t *user = smtpd__socket_is_local(&c->peer) &&
		smtpd__socket_uid(c->fd, &uid) == 0
	    ? &uid
	    : NULL;

	pthread_mutex_lock(&srv->lock);
	status = smtpd__limits_admit(&srv->limits, &c->peer, user, &c->slot);
	if (status == SMTPD_ADMISSION_FULL &&
	    smtpd__sessions_evict(srv, SILENT_MS))
		status =
		    smtpd__limits_admit(&srv->limits, &c->peer, user, &c->slot);
	pthread_mutex_unlock(&srv->lock);
	if (status == SMTPD_ADMISSION_OK)
		return true;
	turn_away(srv, c,
	    status == SMTPD_ADMISSION_PEER_FULL
		? SMTPD_REPLY_TOO_MANY_FROM_PEER
		: SMTPD_REPLY_TOO_MANY_CONNECTIONS);
	log_refused(srv, SMTPD_LOG_INFO, &c->peer,
	    status == SMTPD_ADMISSION_PEER_FULL ? "too many connections from it"
						: "too many connections");
	return false;
}

/* Tell the operator what keeps connections out, WHAT it was, and go on. */
static void
log_trouble(
    struct smtpd_server *srv, const struct smtpd_accepted *a, const char *what)
{
	smtpd__counters_add(&srv->config.counters, SMTPD_COUNTER_ERRORS, 1);
	smtpd__logger_write(&srv->config.logger, SMTPD_LOG_ERROR,
	    "cannot accept connections, errno=%d: %s", a->error, what);
}

/* There are no descriptors for a session. */
static void
refuse_by_spare(struct smtpd_server *srv, struct smtpd_connection *c)
{
	smtpd__counters_add(&srv->config.counters, SMTPD_COUNTER_ERRORS, 1);
	turn_away(srv, c, SMTPD_REPLY_TOO_BUSY);
	smtpd__listeners_reserve(&srv->listeners);
	log_refused(srv, SMTPD_LOG_ERROR, &c->peer, "no descriptors are left");
}

static bool
next_connection(void *owner, struct smtpd_connection *c)
{
	struct smtpd_server *srv = owner;
	struct smtpd_accepted a;

	for (;;) {
		enum smtpd_accept status =
		    smtpd__listeners_accept(&srv->listeners, &a);

		c->fd = a.fd;
		c->peer = a.peer;
		c->listener = a.which;
		switch (status) {
		case SMTPD_ACCEPT_OK:
			if (is_admitted(srv, c))
				return true;
			break;
		case SMTPD_ACCEPT_SPARE:
			refuse_by_spare(srv, c);
			break;
		case SMTPD_ACCEPT_LACK:
			log_trouble(srv, &a, "waiting a moment");
			smtpd__listeners_pause(&srv->listeners);
			break;
		case SMTPD_ACCEPT_LOST:
			log_trouble(srv, &a,
			    smtpd__listeners_address(&srv->listeners, a.which));
			break;
		case SMTPD_ACCEPT_STOPPED:
			return false;
		}
	}
}

static void
refuse_connection(void *owner, struct smtpd_connection *c)
{
	struct smtpd_server *srv = owner;

	turn_away(srv, c, SMTPD_REPLY_TOO_BUSY);
	release_slot(srv, c);
	smtpd__counters_add(&srv->config.counters, SMTPD_COUNTER_ERRORS, 1);
	log_refused(srv, SMTPD_LOG_ERROR, &c->peer, "cannot make a thread");
}

static void
serve_connection(
    void *owner, struct smtpd_connection *c, struct smtpd_worker *w)
{
	struct smtpd_server *srv = owner;

	if (smtpd__sessions_run(srv, w, c->fd, c->fd, &c->peer, c) == 0) {
		close(c->fd);
		return;
	}
	turn_away(srv, c, SMTPD_REPLY_SHUTTING_DOWN);
	release_slot(srv, c);
}

const struct smtpd_pool_work smtpd__admission_work = {
	.next = next_connection,
	.serve = serve_connection,
	.refuse = refuse_connection,
};
