/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_QUEUE_DELIVERY_SECURITY_RULES_H
#define SMTPD_QUEUE_DELIVERY_SECURITY_RULES_H

/* The rules of the settings that say how mail to one domain is secured: a copy,
 * in which they are found however the domain is written. */

#include <smtpd/queue.h>

#include "base/text.h"

struct smtpd_rule_copy {
	char *domain; /* as its names are compared */
	enum smtpd_security security;
	char **names; /* that the certificate must bear */
	size_t nnames;
};

/* Begins with zeros. */
struct smtpd_security_rules {
	struct smtpd_rule_copy *list;
	size_t count;
};

/* Copy the rules of SET.  Return 0, or -1: without memory, or with the reason
 * in ERROR.  RULES are to be freed in any case. */
int smtpd__security_rules_copy(struct smtpd_security_rules *rules,
    const struct smtpd_queue_settings *set, struct smtpd_text *error);

void smtpd__security_rules_free(struct smtpd_security_rules *rules);

/* That for DOMAIN, or NULL. */
const struct smtpd_rule_copy *smtpd__security_rules_find(
    const struct smtpd_security_rules *rules, const char *domain);

#endif
