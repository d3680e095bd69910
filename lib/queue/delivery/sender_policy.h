/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_QUEUE_DELIVERY_SENDER_POLICY_H
#define SMTPD_QUEUE_DELIVERY_SENDER_POLICY_H

/*
 * What the sender of a message wants of TLS (RFC 8689), and so what becomes of
 * the policy of a connection for it: more than the domain asks for, by
 * REQUIRETLS, or less, by "TLS-Required: No".
 */

#include <smtpd/outgoing.h>

#include "queue/delivery/agent_state.h"

/* Whether the sender of E wants anything. */
bool smtpd__sender_policy_differs(const struct smtpd_outgoing_envelope *e);

/*
 * Write to OUT what P, the policy of HOST, becomes for E.  Return 0, or -1 when
 * the sender demands TLS by a certificate that the domain vouches for, and
 * nobody can say which one that is.
 */
int smtpd__sender_policy_apply(const struct smtpd_outgoing_envelope *e,
    const struct smtpd_agent_host *host, const struct smtpd_tls_policy *p,
    struct smtpd_tls_policy *out);

#endif
