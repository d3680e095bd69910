/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_QUEUE_DELIVERY_TLS_COUNT_H
#define SMTPD_QUEUE_DELIVERY_TLS_COUNT_H

/*
 * What is counted of a session with a host for reports about TLS (RFC 8460,
 * 4.3): each session once, by the domain of the mail for which it was begun.
 */

#include "queue/delivery/agent_state.h"

/* The agent of T has connected to HOST, or failed to, under POLICY.  What never
 * came as far as TLS is none. */
void smtpd__tls_count_session(const struct smtpd_agent_attempt *t,
    const struct smtpd_agent_host *host, const struct smtpd_tls_policy *policy);

/* HOST was not connected to, for the refusal of POLICY. */
void smtpd__tls_count_refused(const struct smtpd_agent_attempt *t,
    const struct smtpd_agent_host *host, const struct smtpd_tls_policy *policy);

#endif
