/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_QUEUE_DELIVERY_AGENT_LOG_H
#define SMTPD_QUEUE_DELIVERY_AGENT_LOG_H

/* Reports of an attempt: lines of the history while it runs, and a log line for
 * each recipient at its end. */

#include "queue/delivery/agent_state.h"

/* Add to the history where the agent is connected; REUSED: it was before. */
void smtpd__agent_log_relay(struct smtpd_agent_attempt *t,
    const struct smtpd_relay *relay, bool reused);

/* Add a result of the host at RELAY that is that of all recipients. */
void smtpd__agent_log_result(struct smtpd_agent_attempt *t,
    const struct smtpd_relay *relay, const struct smtpd_result *result);

/* Add the result of the recipient at PLACE of the request. */
void smtpd__agent_log_rcpt(struct smtpd_agent_attempt *t, size_t place);

/* Log the result of each recipient. */
void smtpd__agent_log(const struct smtpd_agent_attempt *t);

#endif
