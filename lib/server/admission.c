/* SPDX-License-Identifier: MIT */
#include "server/admission.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "grammar/reply.h"
#include "net/peer_owner.h"
#include "server/gate.h"
#include "server/server_state.h"
#include "server/sessions.h"

/* Room for a reply of one line. */
#define REPLY_SIZE 512

/* Close a connection that gets no session, C, with reply KEY and without
 * waiting.  Where TLS begins at once there is no reply. */
static void
close_with_reply(struct smtpd_server *srv, const struct smtpd_connection *c,
    enum smtpd_reply_key key)
{
	struct smtpd_reply reply;
	char line[REPLY_SIZE];
	size_t len;

	if ((c->flags & SMTPD_LISTEN_TLS) == 0) {
		smtpd__replies_write(&srv->config.replies, key, NULL, &reply);
		len = smtpd__reply_write(&reply, line, sizeof(line));
		send(c->fd, line, len, MSG_NOSIGNAL | MSG_DONTWAIT);
	}
	close(c->fd);
}

/* Refuse connection C because of WHY. */
static void
turn_away(struct smtpd_server *srv, const struct smtpd_connection *c,
    enum smtpd_refusal why)
{
	close_with_reply(srv, c, smtpd__gate_refuse(srv, why, &c->peer));
}

/* Find out the user of C. */
static void
find_user(const struct smtpd_server *srv, struct smtpd_connection *c)
{
	unsigned flags = srv->config.settings.flags;

	if (smtpd__socket_is_local(&c->peer))
		c->has_user = smtpd__socket_uid(c->fd, &c->uid) == 0;
	else
		c->has_user = (flags & SMTPD_FLAG_LOCAL_USERS) != 0 &&
		    smtpd__peer_owner_find(c->fd, &c->uid) == 0;
}

/* Whether connection C may have a session; else it is told. */
static bool
is_admitted(struct smtpd_server *srv, struct smtpd_connection *c)
{
	enum smtpd_refusal why;

	find_user(srv, c);
	why = smtpd__gate_admit(
	    srv, &c->peer, c->has_user ? &c->uid : NULL, &c->slot);
	if (why == SMTPD_REFUSAL_NONE)
		return true;
	turn_away(srv, c, why);
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

/* C came to the listener with OPTIONS. */
static void
set_listener(
    struct smtpd_connection *c, const struct smtpd_listener_options *options)
{
	c->options = options;
	c->flags = options->flags;
}

static bool
next_connection(void *owner, struct smtpd_connection *c)
{
	struct smtpd_server *srv = owner;
	struct smtpd_accepted a;

	for (;;) {
		enum smtpd_accept status =
		    smtpd__listeners_accept(&srv->listeners, &a);

		c->session = NULL;
		c->fd = a.fd;
		c->peer = a.peer;
		switch (status) {
		case SMTPD_ACCEPT_OK:
			set_listener(c, &srv->options[a.which]);
			if (is_admitted(srv, c))
				return true;
			break;
		case SMTPD_ACCEPT_SPARE:
			set_listener(c, &srv->options[a.which]);
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
		case SMTPD_ACCEPT_BESIDE:
			if (status == SMTPD_ACCEPT_STOPPED &&
			    !smtpd__parking_wait(&srv->parking))
				return false;
			c->session = smtpd__sessions_take(srv);
			if (c->session != NULL)
				return true;
			break;
		}
	}
}

static void
refuse_connection(void *owner, struct smtpd_connection *c)
{
	struct smtpd_server *srv = owner;

	if (c->session != NULL) {
		smtpd__sessions_put_back(srv, c->session);
		return;
	}
	turn_away(srv, c, SMTPD_REFUSAL_NO_THREAD);
	smtpd__gate_release(srv, &c->slot);
}

/* The session of C cannot begin, as errno says. */
static void
lose_connection(struct smtpd_server *srv, struct smtpd_connection *c)
{
	if (errno == ENOMEM) {
		turn_away(srv, c, SMTPD_REFUSAL_NO_MEMORY);
	} else {
		smtpd__counters_add(&srv->config.counters,
		    SMTPD_COUNTER_REFUSED_CONNECTIONS, 1);
		close_with_reply(srv, c, SMTPD_REPLY_SHUTTING_DOWN);
	}
	smtpd__gate_release(srv, &c->slot);
}

static bool
serve_connection(
    void *owner, struct smtpd_connection *c, struct smtpd_worker *w)
{
	struct smtpd_server *srv = owner;
	bool parked = false;

	if (c->session != NULL)
		parked = smtpd__sessions_go_on(srv, w, c->session);
	else if (smtpd__sessions_begin(srv, w, c, &parked) == -1)
		lose_connection(srv, c);
	return parked;
}

void
smtpd__admission_adopt(struct smtpd_server *srv, int fd, unsigned flags)
{
	struct smtpd_connection c = { .fd = fd, .flags = flags };

	smtpd__socket_peer(fd, &c.peer);
	if (is_admitted(srv, &c) && smtpd__sessions_adopt(srv, &c) == -1)
		lose_connection(srv, &c);
}

const struct smtpd_pool_work smtpd__admission_work = {
	.next = next_connection,
	.serve = serve_connection,
	.refuse = refuse_connection,
};
