/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_QUEUE_DELIVERY_AGENT_PASS_H
#define SMTPD_QUEUE_DELIVERY_AGENT_PASS_H

/* Hosts that are passed over: what is demanded of a connection to them cannot
 * be had.  Each function records that for recipients, host and site, and
 * returns -1. */

#include "queue/delivery/agent_state.h"

/* HOST is not to be connected to, as POLICY says. */
int smtpd__agent_pass_over(struct smtpd_agent_attempt *t,
    const struct smtpd_agent_host *host, const struct smtpd_tls_policy *policy);

/* HOST gets nothing, as the domain does not list it (RFC 8461, 5.1). */
int smtpd__agent_pass_unlisted(
    struct smtpd_agent_attempt *t, const struct smtpd_agent_host *host);

/* Nobody vouches for HOST, as the sender demands: that is the result unless
 * another host is better. */
int smtpd__agent_pass_unvouched(
    struct smtpd_agent_attempt *t, const struct smtpd_agent_host *host);

#endif
