/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_POLICY_H
#define SMTPD_POLICY_H

/*
 * What connections out demand of TLS beyond what the operator says: encryption
 * that nobody on the way can take away.
 */

#include <smtpd/resolve.h>
#include <smtpd/version.h>

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The settings of a queue; zero is the default. */
struct smtpd_policy_settings {
	size_t size; /* SMTPD_POLICY_SETTINGS_INIT */

	/* DANE (RFC 7672): where the DNS, asked of a server that is believed
	 * (smtpd_resolver_settings), vouches for a host and its TLSA records,
	 * its certificate must match one; if none can be used, it must at
	 * least do TLS.  Mail waits while they cannot be looked up.  For
	 * domains whose security is opportunistic or encrypted. */
	bool dane;

	/* A host that did TLS in the last thirty days, as the directory
	 * remembers, does not offer STARTTLS now: mail for it waits until it
	 * does, and not only for retry_min_s. */
	bool tls_lost_defer;
};

#define SMTPD_POLICY_SETTINGS_INIT SMTPD_INIT(smtpd_policy_settings)

/* Whether answers of the DNS servers are authentic (DNSSEC). */
enum smtpd_dnssec {
	SMTPD_DNSSEC_VALIDATED, /* and they are believed */
	SMTPD_DNSSEC_UNTRUSTED, /* so they say, but they are not on this host,
	                         * and trust_servers is not set */
	SMTPD_DNSSEC_ABSENT,    /* they do not validate */
	SMTPD_DNSSEC_UNKNOWN,   /* none answered */
};

/* Ask the servers of R for the root, which is signed.  Blocks until CANCEL, or
 * NULL, is triggered, or total_ms are over.  Any thread.  Since 0.2. */
SMTPD_API enum smtpd_dnssec smtpd_resolver_dnssec(
    struct smtpd_resolver *r, const struct smtpd_cancel *cancel);

#ifdef __cplusplus
}
#endif

#endif
