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

/* Those of level ERROR count as errors. */
static const struct {
	enum smtpd_reply_key reply;
	enum smtpd_log_level level;
	const char *reason;
} refusals[] = {
	[SMTPD_REFUSAL_FULL] = { SMTPD_REPLY_TOO_MANY_CONNECTIONS,
	    SMTPD_LOG_INFO, "too many connections" },
	[SMTPD_REFUSAL_PEER_FULL] = { SMTPD_REPLY_TOO_MANY_FROM_PEER,
	    SMTPD_LOG_INFO, "too many connections from it" },
	[SMTPD_REFUSAL_NO_MEMORY] = { SMTPD_REPLY_TOO_BUSY, SMTPD_LOG_ERROR,
	    "no memory" },
	[SMTPD_REFUSAL_NO_DESCRIPTOR] = { SMTPD_REPLY_TOO_BUSY, SMTPD_LOG_ERROR,
	    "no descriptors are left" },
	[SMTPD_REFUSAL_NO_THREAD] = { SMTPD_REPLY_TOO_BUSY, SMTPD_LOG_ERROR,
	    "cannot make a thread" },
};

/* Close a connection that gets no session, C, with reply KEY and without
 * waiting.  Where TLS begins at once there is no reply. */
static void
close_with_reply(struct smtpd_server *srv, const struct smtpd_connection *c,
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

/* Log how many connections, refused for WHY, had no line of their own. */
static void
log_sum(const struct smtpd_server *srv, enum smtpd_refusal why, uint32_t more)
{
	if (more > 0)
		smtpd__logger_write(&srv->config.logger, refusals[why].level,
		    "refused connections=%lu reason=\"%s\"",
		    (unsigned long)more, refusals[why].reason);
}

/* Log that a connection from PEER was refused for WHY: one line a second, and
 * the sum of the others later. */
static void
log_refused(struct smtpd_server *srv, enum smtpd_refusal why,
    const struct smtpd_sockaddr *peer)
{
	const uint64_t second = smtpd__clock_ms() / 1000;
	struct smtpd_refused *r = &srv->refused[why];
	char host[SMTPD_ADDRESS_TEXT_SIZE];
	uint32_t more;
	bool same;

	pthread_mutex_lock(&srv->lock);
	same = r->second == second;
	r->second = second;
	more = r->more;
	r->more = same ? more + 1 : 0;
	pthread_mutex_unlock(&srv->lock);
	if (same)
		return;
	log_sum(srv, why, more);
	smtpd__socket_host(peer, host, sizeof(host));
	smtpd__logger_write(&srv->config.logger, refusals[why].level,
	    "refused peer=%s reason=\"%s\"", host, refusals[why].reason);
}

void
smtpd__admission_log_rest(struct smtpd_server *srv)
{
	for (enum smtpd_refusal why = 0; why < SMTPD_REFUSALS; why++) {
		uint32_t more;

		pthread_mutex_lock(&srv->lock);
		more = srv->refused[why].more;
		srv->refused[why].more = 0;
		pthread_mutex_unlock(&srv->lock);
		log_sum(srv, why, more);
	}
}

/* Refuse connection C because of WHY. */
static void
turn_away(struct smtpd_server *srv, const struct smtpd_connection *c,
    enum smtpd_refusal why)
{
	if (refusals[why].level == SMTPD_LOG_ERROR)
		smtpd__counters_add(
		    &srv->config.counters, SMTPD_COUNTER_ERRORS, 1);
	close_with_reply(srv, c, refusals[why].reply);
	log_refused(srv, why, &c->peer);
}

static enum smtpd_refusal
to_refusal(enum smtpd_admission status)
{
	if (status == SMTPD_ADMISSION_NO_MEMORY)
		return SMTPD_REFUSAL_NO_MEMORY;
	return status == SMTPD_ADMISSION_PEER_FULL ? SMTPD_REFUSAL_PEER_FULL
						   : SMTPD_REFUSAL_FULL;
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
	turn_away(srv, c, to_refusal(status));
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
			turn_away(srv, c, SMTPD_REFUSAL_NO_DESCRIPTOR);
			smtpd__listeners_reserve(&srv->listeners);
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

	turn_away(srv, c, SMTPD_REFUSAL_NO_THREAD);
	release_slot(srv, c);
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
	close_with_reply(srv, c, SMTPD_REPLY_SHUTTING_DOWN);
	release_slot(srv, c);
}

const struct smtpd_pool_work smtpd__admission_work = {
	.next = next_connection,
	.serve = serve_connection,
	.refuse = refuse_connection,
};
