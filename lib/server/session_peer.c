/* SPDX-License-Identifier: MIT */
#include "server/session_peer.h"

#include "server/answer.h"
#include "server/gate.h"

bool
smtpd__session_peer_change(
    struct smtpd_session *s, const struct smtpd_sockaddr *peer)
{
	struct smtpd_server *srv = s->config->server;
	enum smtpd_refusal why = SMTPD_REFUSAL_NONE;
	enum smtpd_reply_key key;

	smtpd__session_set_peer(s, peer);
	if (s->slot != NULL)
		why = smtpd__gate_readmit(srv, peer, s->slot);
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
