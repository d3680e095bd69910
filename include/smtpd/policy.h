/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_POLICY_H
#define SMTPD_POLICY_H

/*
 * What connections out demand of TLS beyond what the operator says: encryption
 * that nobody on the way can take away.
 */

#include <smtpd/client.h>
#include <smtpd/resolve.h>
#include <smtpd/tls.h>
#include <smtpd/version.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

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

/* The TLSA records of a host (RFC 6698) that SMTP can use: opaque. */
struct smtpd_tlsa_set;

/* The size of a record that smtpd_tls_tlsa() writes, with its NUL. */
#define SMTPD_TLSA_TEXT_SIZE 80

/*
 * Look up the records of HOST, a name, at PORT, by R.  *SECURE tells whether
 * they, or their absence, are authentic.  Return NULL with errno: ENOENT, there
 * are none; EAGAIN, they cannot be looked up; EINVAL, HOST is no name of one;
 * ENOMEM.  Blocks as smtpd_resolve() does.  Any thread.  Since 0.2.
 */
SMTPD_API struct smtpd_tlsa_set *smtpd_resolve_tlsa(struct smtpd_resolver *r,
    const char *host, uint16_t port, const struct smtpd_cancel *cancel,
    bool *secure);

/* How many there are, and the text of record I, for people: of long data only
 * the beginning.  Since 0.2. */
SMTPD_API size_t smtpd_tlsa_count(const struct smtpd_tlsa_set *set);
SMTPD_API void smtpd_tlsa_get(
    const struct smtpd_tlsa_set *set, size_t i, char *out, size_t size);

/* Free SET; NULL is fine.  Since 0.2. */
SMTPD_API void smtpd_tlsa_free(struct smtpd_tlsa_set *set);

/* What the TLSA records of a host demand of those who connect to it. */
enum smtpd_dane_demand {
	SMTPD_DANE_NOTHING, /* there are none, or none that are secure */
	SMTPD_DANE_RECORDS, /* a certificate that one of them matches; if none
	                     * can be used, TLS by any certificate */
	SMTPD_DANE_LATER,   /* the host is not to be connected to for now, as
	                     * they cannot be looked up */
};

/* An answer.  It belongs to the caller. */
struct smtpd_dane_answer {
	enum smtpd_dane_demand demand;
	const char *host; /* that was asked for */
	const char *base; /* RECORDS: the name that has them; else "" */
	const struct smtpd_tlsa_set *records; /* RECORDS; else NULL */
	const char *reason; /* LATER: a sentence for people; else "" */
	uint32_t ttl_s;     /* how long it holds; 0 with LATER */
};

/*
 * Look up what HOST, a mail host in A-labels, demands at PORT, by R (RFC 7672).
 * Ask only for the hosts of an MX that was authenticated (smtpd_targets), or
 * for one that the operator named.  Blocks, for 20 seconds at most.  Return
 * NULL with errno: ENOMEM, or EINVAL when HOST is no name.  Any thread.
 * Since 0.2.
 */
SMTPD_API struct smtpd_dane_answer *smtpd_resolve_dane(struct smtpd_resolver *r,
    const char *host, uint16_t port, const struct smtpd_cancel *cancel);

/* Free ANSWER; NULL is fine.  Since 0.2. */
SMTPD_API void smtpd_dane_answer_free(struct smtpd_dane_answer *answer);

/*
 * Have connections of C from the next one on do what ANSWER demands; NULL: what
 * the settings say again.  DOMAIN is that whose MX lead to the host, or NULL.
 * With a security that is required, or none, only the settings count.  ANSWER
 * and DOMAIN must live until that is open, or another is set.  Since 0.2.
 */
SMTPD_API void smtpd_client_set_dane(struct smtpd_client *c,
    const struct smtpd_dane_answer *answer, const char *domain);

/* Write to OUT of SIZE bytes the record to publish for pair number PAIR of TLS,
 * in the order in which they were added: "3 1 1 DIGEST", of its key, so that it
 * stays when the certificate is renewed for that.  Return 0, or -1 with errno
 * ENOENT when there is no such pair.  Since 0.2. */
SMTPD_API int smtpd_tls_tlsa(
    const struct smtpd_tls *tls, size_t pair, char *out, size_t size);

/* Whether a sender would find pair number PAIR of TLS good, as HOST, by record
 * I of SET.  Since 0.2. */
SMTPD_API bool smtpd_tls_matches_tlsa(const struct smtpd_tls *tls, size_t pair,
    const struct smtpd_tlsa_set *set, size_t i, const char *host);

#ifdef __cplusplus
}
#endif

#endif
