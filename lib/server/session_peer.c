/* SPDX-License-Identifier: MIT */
#include "server/session_peer.h"

#include <string.h>

#include "server/answer.h"
#include "server/gate.h"

/* Whether limits and rates know A and B as one. */
static bool
is_counted_as(const struct smtpd_sockaddr *a, const struct smtpd_sockaddr *b)
{
	struct smtpd_socket_key key, other;

	return smtpd__socket_key(a, false, &key) &&
	    smtpd__socket_key(b, false, &other) &&
	    memcmp(&key, &other, sizeof(key)) == 0;
}

bool
smtpd__session_peer_change(
    struct smtpd_session *s, const struct smtpd_sockaddr *peer)
{
	struct smtpd_server *srv = s->config->server;
	enum smtpd_refusal why = SMTPD_REFUSAL_NONE;
	bool same = is_counted_as(&s->peer, peer);
	enum smtpd_reply_key key;

	smtpd__session_set_peer(s, peer);
	if (s->admitted && !same)
		why = smtpd__gate_readmit(srv, peer, &s->slot);
	if (why == SMTPD_REFUSAL_NONE)
		return true;
	key = smtpd__gate_refuse(srv, why, peer);
	smtpd__session_close(s, SMTPD_CLOSE_REFUSED);
	if (!s->tls_first || s->stream.tls != NULL) {
		smtpd__answer_say(s, key, NULL);
		smtpd__answer_send(s);
	}
	return false;
}
