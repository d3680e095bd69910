/* SPDX-License-Identifier: MIT */
#include "server/sessions.h"

#include "server/command_loop.h"
#include "server/session_list.h"
#include "server/session_state.h"

int
smtpd__sessions_run(struct smtpd_server *srv, const struct smtpd_worker *w,
    int in, int out, unsigned flags, const struct smtpd_sockaddr *peer,
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
		s.slot = &c->slot;
		s.stream.wire.quick = smtpd__socket_set_rest(in) == 0;
	}
	s.tls_first = (flags & SMTPD_LISTEN_TLS) != 0;
	s.lmtp = (flags & SMTPD_LISTEN_LMTP) != 0;
	if (!smtpd__session_list_enter(srv, &s, options))
		return -1;
	smtpd__counters_add(counters, SMTPD_COUNTER_CONNECTIONS, 1);
	smtpd__counters_add(counters, SMTPD_COUNTER_CONNECTIONS_NOW, 1);
	smtpd__command_loop_run(&s);
	smtpd__session_finish(&s);
	smtpd__counters_add(counters, SMTPD_COUNTER_CONNECTIONS_NOW, -1);
	smtpd__session_list_leave(srv, &s);
	return 0;
}
