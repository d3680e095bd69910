/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_CLIENT_TLS_POLICY_H
#define SMTPD_CLIENT_TLS_POLICY_H

/*
 * What a connection out asks of TLS, who says so, and for how long: whoever
 * opens the connection computes it once, from the domain, the answers of the
 * DNS and the host; all others only read it.
 */

#include <smtpd/client.h>

#include <stdbool.h>
#include <stddef.h>

#include "base/tlsa.h"
#include "transport/tls_outcome.h"

#define SMTPD_TLS_POLICY_ID_SIZE 64

/* Where the demand comes from. */
enum smtpd_tls_source {
	SMTPD_TLS_SOURCE_LOCAL, /* the settings, a rule, a login */
	SMTPD_TLS_SOURCE_DANE,  /* TLSA records */
	SMTPD_TLS_SOURCE_STS,   /* MTA-STS */
};

struct smtpd_tls_policy {
	enum smtpd_security level;
	enum smtpd_tls_source source;
	bool first; /* from the first byte, whatever level says of STARTTLS */

	/* What is demanded is looked at, and told, but nothing fails for it:
	 * level counts as opportunistic, as MTA-STS has it in "testing". */
	bool testing;

	/* The host did TLS before: if it does not offer STARTTLS, the
	 * connection fails, though it may be tried again without.  Not part of
	 * the id, as no connection has less for it. */
	bool expected;

	/* The host is not to be connected to at all for now, for this reason:
	 * a look-up failed that says whether it may be, or it is none of those
	 * that the domain's policy lists. */
	const char *refused;
	enum smtpd_tls_failure refusal; /* what that is called in reports */

	/* Names of which the certificate must bear one, in the place of the
	 * host's; none: that. */
	const char *const *names;
	size_t nnames;

	/* The authorities that are believed, to which it has no reference of
	 * its own; NULL: those of the settings. */
	struct smtpd_trust *trust;

	/* Records of which the certificate must match one, in the place of
	 * authorities; NULL: none.  names are those that one needs whose chain
	 * is matched.  Not owned. */
	const struct smtpd_tlsa_set *tlsa;

	/* The name that the server is asked for (SNI); NULL: the host's. */
	const char *server_name;

	const char *reason; /* "the settings", "the rule for the domain" */
	uint32_t ttl_s;     /* how long it holds; 0: no end */

	/*
	 * A digest of all of the above but expected, trust, reason and ttl_s.
	 * Whatever
	 * was reached under one policy is not used under another: it is part of
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

/*
 * Have P, which has no names of its own, demand what SET, the secure records of
 * its host, demands (RFC 7672, 2.2): a match with one that can be used, or else
 * TLS by any certificate.  P is to be identified anew.
 */
void smtpd__tls_policy_demand_dane(
    struct smtpd_tls_policy *p, const struct smtpd_tlsa_set *set);

/* Whether a connection without TLS is of no use. */
bool smtpd__tls_policy_needs_tls(const struct smtpd_tls_policy *p);

/* Whether, besides, one with a certificate that is not good is of no use. */
bool smtpd__tls_policy_is_strict(const struct smtpd_tls_policy *p);

/* Whether the certificate is looked at, be it only to tell. */
bool smtpd__tls_policy_looks(const struct smtpd_tls_policy *p);

/*
 * Whether a message may go out in plain text after the handshake failed.  PLAIN
 * is the policy of that connection then.
 */
bool smtpd__tls_policy_fall_back(
    const struct smtpd_tls_policy *p, struct smtpd_tls_policy *plain);

/* The word for what P demands, in logs: "none", "opportunistic", "encrypted",
 * "verified", "dane", "sts", "sts-testing". */
const char *smtpd__tls_policy_wanted(const struct smtpd_tls_policy *p);

/* The word for what was reached: "none", "encrypted", "verified", "dane". */
const char *smtpd__tls_policy_reached(enum smtpd_tls_reached reached);

/* The name of FAILURE in reports (RFC 8460, 4.3); "" for none. */
const char *smtpd__tls_policy_failure(enum smtpd_tls_failure failure);

#endif
