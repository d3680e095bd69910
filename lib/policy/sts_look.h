/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_POLICY_STS_LOOK_H
#define SMTPD_POLICY_STS_LOOK_H

/*
 * One look for the policy of MTA-STS of a domain: at its record, and where that
 * names another than the one that is known, at its web server.
 */

#include <stdbool.h>

#include "policy/sts.h"
#include "policy/sts_table.h"
#include "resolve/dns_message.h"

/* What came of a look. */
struct smtpd_sts_look {
	char domain[SMTPD_DNS_HOST_MAX];
	char known[SMTPD_STS_ID_SIZE]; /* of the policy that is kept; "" */
	bool stale; /* that is to be fetched even if it is the same */
	struct smtpd_txt record;
	char id[SMTPD_STS_ID_SIZE];
	struct smtpd_sts_text *text; /* a new policy; NULL: none */
	struct smtpd_sts_policy policy;
	enum smtpd_tls_failure failure;
	char reason[256];
};

/* Fill in what the domain has.  Blocks; holds no lock. */
void smtpd__sts_look_up(const struct smtpd_sts_settings *set,
    struct smtpd_sts_look *l, const struct smtpd_cancel *cancel);

#endif
