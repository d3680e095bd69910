/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_POLICY_H
#define SMTPD_POLICY_H

/*
 * What connections out demand of TLS beyond what the operator says: encryption
 * that nobody on the way can take away.  Hosts demand it by DANE (RFC 7672),
 * and domains by MTA-STS (RFC 8461), which publish to which hosts their mail
 * may go, and that these have TLS; they ask for reports of how that went (RFC
 * 8460).  The library finds, keeps, refreshes and applies policies, and counts;
 * it has no HTTPS, which the program brings along.
 */

#include <smtpd/cancel.h>
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

/* What came of fetching a policy. */
enum smtpd_sts_fetched {
	SMTPD_STS_FETCHED,
	SMTPD_STS_UNREACHABLE, /* there is none, or it could not be had */
	SMTPD_STS_UNTRUSTED,   /* the certificate of the web server is not
	                        * good */
};

/* A policy that is to be fetched.  It belongs to the library, and may grow. */
struct smtpd_sts_fetch {
	const char *url;  /* "https://mta-sts.example.com/.well-known/..." */
	const char *host; /* of it, and where it is, by the
	                                     * DNS servers of the settings: */
	const struct smtpd_targets *targets;
	const struct smtpd_cancel *cancel; /* ends it; may be NULL */

	char *text;   /* to be filled with what is there, */
	size_t size;  /* which is no policy if it has more octets than this; */
	size_t len;   /* how many it has */
	char *reason; /* why it failed, a sentence for people, */
	size_t reason_size; /* of so many bytes with its NUL */
};

/*
 * Fetch a policy (RFC 8461, 3.3): by GET; over TLS with a certificate that is
 * good for the host in the URL, by the authorities of the system; redirects are
 * not followed, and nothing comes from a cache; status 200 and text/plain alone
 * will do.  Blocks, a minute at most.  Any thread, several at a time.
 */
typedef enum smtpd_sts_fetched smtpd_sts_fetch_fn(
    struct smtpd_sts_fetch *fetch, void *user) SMTPD_NOEXCEPT;

/* How TLS with the hosts of a domain went on a day (in UTC), for the domain.
 * It belongs to the library, and may grow. */
struct smtpd_tls_report {
	const char *domain;
	const char *id;         /* the same whenever it is tried again */
	int64_t begin_s, end_s; /* the day's, since 1970 */
	const char *contact;    /* the address that it names for questions */
	const char *const *rua; /* NRUA destinations that the domain names: */
	size_t nrua;            /* "mailto:ADDRESS" or "https://..." */
	const char *json;       /* the report (RFC 8460, 4.4), of */
	size_t json_len;        /* so many octets */
	const struct smtpd_cancel *cancel; /* ends what is waited for */
};

/*
 * Send REPORT to one of its destinations (RFC 8460, 3): by HTTPS, or by mail,
 * which needs a signature of DKIM and no more of TLS than there is.  Return 0
 * when that is done, or -1 to be asked again in an hour, for two days.  One
 * report at a time, on a thread of the library.
 */
typedef int smtpd_tls_report_fn(
    const struct smtpd_tls_report *report, void *user) SMTPD_NOEXCEPT;

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

	/* Fetches policies of MTA-STS, which are kept in the queue; NULL: there
	 * are none.  A security rule for a domain goes before its policy. */
	smtpd_sts_fetch_fn *fetch;
	void *fetch_user;

	/* Sends reports about TLS, once a day, to domains that ask for them;
	 * NULL: nothing is counted. */
	smtpd_tls_report_fn *report;
	void *report_user;
	const char *contact;      /* in reports; the queue's postmaster */
	const char *organization; /* likewise; the queue's hostname */
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
