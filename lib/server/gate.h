/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_SERVER_GATE_H
#define SMTPD_SERVER_GATE_H

/*
 * Who may come in: the limits on connections, those that make room for others,
 * and the count and the log of those that are refused.
 */

#include <stdint.h>

#include "server/limits.h"
#include "server/replies.h"

struct smtpd_server;

/* Why a connection gets no session, while the server runs. */
enum smtpd_refusal {
	SMTPD_REFUSAL_FULL,
	SMTPD_REFUSAL_PEER_FULL,
	SMTPD_REFUSAL_PEER_FAST,
	SMTPD_REFUSAL_NO_MEMORY,
	SMTPD_REFUSAL_NO_DESCRIPTOR,
	SMTPD_REFUSAL_NO_THREAD,
	SMTPD_REFUSAL_NONE, /* it is welcome; and their number */
};

/* Connections that were refused for one reason. */
struct smtpd_refused {
	uint64_t second; /* when one was logged last */
	uint32_t more;   /* how many were not, since */
};

/*
 * Admit a connection from PEER, over a UNIX socket of the user *UID (NULL: it
 * is not known): return SMTPD_REFUSAL_NONE, and give SLOT back when it is over,
 * or say why not.
 */
enum smtpd_refusal smtpd__gate_admit(struct smtpd_server *srv,
    const struct smtpd_sockaddr *peer, const uid_t *uid,
    struct smtpd_slot *slot);

/*
 * The connection that occupies SLOT turned out to be from PEER: admit it as
 * such, instead.  If it is not, SLOT is given back.
 */
enum smtpd_refusal smtpd__gate_readmit(struct smtpd_server *srv,
    const struct smtpd_sockaddr *peer, struct smtpd_slot *slot);

/* Whether a client at PEER may name one recipient more by its rate; then it is
 * counted. */
bool smtpd__gate_admit_rcpt(
    struct smtpd_server *srv, const struct smtpd_sockaddr *peer);

/* Whether a client at PEER may try to authenticate, by the rate of its
 * failures; and count one more. */
bool smtpd__gate_admit_auth(
    struct smtpd_server *srv, const struct smtpd_sockaddr *peer);
void smtpd__gate_count_auth_failure(
    struct smtpd_server *srv, const struct smtpd_sockaddr *peer);

/* Give back SLOT, whose connection gets no session. */
void smtpd__gate_release(struct smtpd_server *srv, struct smtpd_slot *slot);

/* Count and log that a connection from PEER is refused because of WHY: one line
 * a second, and the sum of the others later.  Return the reply. */
enum smtpd_reply_key smtpd__gate_refuse(struct smtpd_server *srv,
    enum smtpd_refusal why, const struct smtpd_sockaddr *peer);

/* Log how many refused connections of SRV had no line of their own. */
void smtpd__gate_log_rest(struct smtpd_server *srv);

#endif
