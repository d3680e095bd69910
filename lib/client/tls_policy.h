/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_CLIENT_TLS_POLICY_H
#define SMTPD_CLIENT_TLS_POLICY_H

/*
 * What a connection out asks of TLS: whoever opens the connection computes it
 * once, from the domain and the host; all others only read it.
 */

#include <smtpd/client.h>

#include <stdbool.h>
#include <stddef.h>

#define SMTPD_TLS_POLICY_ID_SIZE 64

struct smtpd_tls_policy {
	enum smtpd_security level;
	bool first; /* from the first byte, whatever level says of STARTTLS */

	/* Names of which the certificate must bear one, in the place of the
	 * host's; none: that. */
	const char *const *names;
	size_t nnames;

	/* The authorities that are believed, to which it has no reference of
	 * its own; NULL: those of the settings. */
	struct smtpd_trust *trust;

	/* TLSA records: reserved, not looked at yet but for the id. */
	const unsigned char *pins;
	size_t pins_len;

	const char *reason; /* "the settings", "the rule for the domain" */

	/*
	 * A digest of all of the above but trust and reason.  Whatever was
	 * reached under one policy is not used under another: it is part of
	 * the name of a site, and of the keys of connections and of TLS
	 * sessions that are used again.
	 */
	char id[SMTPD_TLS_POLICY_ID_SIZE];
};

/* The words of today's levels, which are the ids of policies that ask for
 * nothing else. */
#define SMTPD_TLS_POLICY_OPPORTUNISTIC "opportunistic"

/* Compute the id of P from its other members. */
void smtpd__tls_policy_identify(struct smtpd_tls_policy *p);

/* Whether a connection without TLS, or with a certificate that is not good, is
 * of no use. */
bool smtpd__tls_policy_is_strict(const struct smtpd_tls_policy *p);

/*
 * Whether a message may go out in plain text after the handshake failed.  PLAIN
 * is the policy of that connection then.
 */
bool smtpd__tls_policy_fall_back(
    const struct smtpd_tls_policy *p, struct smtpd_tls_policy *plain);

#endif
