/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_QUEUE_DELIVERY_AGENT_RULES_H
#define SMTPD_QUEUE_DELIVERY_AGENT_RULES_H

/* The rules of an attempt that hold before, at and between its hosts. */

#include "queue/delivery/agent_state.h"

/* Whether the attempt was cancelled. */
bool smtpd__agent_rules_is_cancelled(const struct smtpd_agent_attempt *t);

/* Whether R is a failure of our own (cancelled, out of memory), not the
 * host's. */
bool smtpd__agent_rules_is_own(
    const struct smtpd_agent_attempt *t, const struct smtpd_result *r);

/* Make R temporary, whatever it was, and its status too. */
void smtpd__agent_rules_soften(struct smtpd_result *r);

/* Whether the recipient has to go to another host. */
bool smtpd__agent_rules_is_pending(const struct smtpd_rcpt_state *r);

/* Record what HOST means for the site, and RESULT as the reason.  The last host
 * that spoke decides; those out of reach only when none did. */
void smtpd__agent_rules_judge(struct smtpd_agent_attempt *t,
    enum smtpd_site_feedback feedback, const char *host,
    const struct smtpd_result *result);

/* Send QUIT if a connection is open. */
void smtpd__agent_rules_quit(struct smtpd_agent *a);

#endif
