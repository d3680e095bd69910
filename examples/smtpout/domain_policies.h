/* SPDX-License-Identifier: MIT */
#ifndef DOMAIN_POLICIES_H
#define DOMAIN_POLICIES_H

/*
 * The options about what domains say of TLS for their mail: whether their
 * policies of MTA-STS count, and whether they get reports.
 */

#include "https.h"
#include "log.h"
#include "settings.h"

struct domain_policies {
	struct https https;
	struct log *log;
	const char *name;          /* of this host */
	bool is_signing;           /* there is a key of DKIM */
	struct smtpd_queue *queue; /* for reports, set before it starts */
};

/* Check the options, and complete what S derives from them.  Return 0, or
 * EX_USAGE after complaining of a mistake. */
int domain_policies_complete(struct settings *s);

/* Before the first thread: add what the queue is to do to OUT.  Return 0, or an
 * exit status after complaining. */
int domain_policies_begin(struct domain_policies *p, const struct settings *s,
    struct log *log, struct smtpd_policy_settings *out);

void domain_policies_end(struct domain_policies *p);

#endif
