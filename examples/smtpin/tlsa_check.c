/* SPDX-License-Identifier: MIT */
#include "tlsa_check.h"

#include <errno.h>
#include <stddef.h>

#include <smtpd/policy.h>

#define PORT     25
#define CHECK_MS 3000

/* What is compared. */
struct comparison {
	const struct smtpd_tls *tls;
	const struct smtpd_tlsa_set *set;
	const char *host;
	struct log *log;
};

/* Warn of pair number PAIR, whose record would be WANTED, if senders would find
 * it bad. */
static void
compare_pair(const struct comparison *c, size_t pair, const char *wanted)
{
	for (size_t i = 0; i < smtpd_tlsa_count(c->set); i++)
		if (smtpd_tls_matches_tlsa(c->tls, pair, c->set, i, c->host))
			return;
	log_line(c->log, SMTPD_LOG_WARNING,
	    "no TLSA record of %s in the DNS matches the certificate with key "
	    "%s: senders that do DANE deliver nothing; publish the record, and "
	    "use the certificate when the old ones have expired there",
	    c->host, wanted);
}

/* Warn of record I if it is of no certificate. */
static void
compare_record(const struct comparison *c, size_t i)
{
	char record[SMTPD_TLSA_TEXT_SIZE], wanted[SMTPD_TLSA_TEXT_SIZE];

	for (size_t pair = 0;
	    smtpd_tls_tlsa(c->tls, pair, wanted, sizeof(wanted)) == 0; pair++)
		if (smtpd_tls_matches_tlsa(c->tls, pair, c->set, i, c->host))
			return;
	smtpd_tlsa_get(c->set, i, record, sizeof(record));
	log_line(c->log, SMTPD_LOG_WARNING,
	    "the TLSA record %s of %s in the DNS is of no certificate here: "
	    "good for a certificate that is to come, otherwise to be removed",
	    record, c->host);
}

static void
compare_all(const struct comparison *c, bool secure)
{
	char wanted[SMTPD_TLSA_TEXT_SIZE];

	if (!secure)
		log_line(c->log, SMTPD_LOG_WARNING,
		    "the DNS server does not vouch (DNSSEC) for the TLSA "
		    "records of %s: without signatures senders ignore them",
		    c->host);
	for (size_t pair = 0;
	    smtpd_tls_tlsa(c->tls, pair, wanted, sizeof(wanted)) == 0; pair++)
		compare_pair(c, pair, wanted);
	for (size_t i = 0; i < smtpd_tlsa_count(c->set); i++)
		compare_record(c, i);
}

/* Compare with what R knows. */
static void
ask_dns(struct comparison *c, struct smtpd_resolver *r)
{
	bool secure;
	struct smtpd_tlsa_set *set =
	    smtpd_resolve_tlsa(r, c->host, PORT, NULL, &secure);

	if (set != NULL) {
		c->set = set;
		compare_all(c, secure);
		smtpd_tlsa_free(set);
		return;
	}
	if (errno == ENOENT)
		log_line(c->log, SMTPD_LOG_INFO,
		    "the DNS has no TLSA records of %s", c->host);
	else
		log_line(c->log, SMTPD_LOG_WARNING,
		    "the TLSA records of %s cannot be looked up", c->host);
}

void
tlsa_check(const struct smtpd_tls *tls, const char *host, const char *dns,
    struct log *log)
{
	const struct smtpd_resolver_settings settings = {
		SMTPD_RESOLVER_SETTINGS_INIT,
		.servers = dns,
		.total_ms = CHECK_MS,
	};
	struct comparison c = { .tls = tls, .host = host, .log = log };
	char wanted[SMTPD_TLSA_TEXT_SIZE];
	struct smtpd_resolver *r;
	size_t pair = 0;

	for (; tls != NULL &&
	    smtpd_tls_tlsa(tls, pair, wanted, sizeof(wanted)) == 0;
	    pair++)
		log_line(log, SMTPD_LOG_INFO,
		    "for DANE publish: _%d._tcp.%s. IN TLSA %s", PORT, host,
		    wanted);
	if (pair == 0)
		return;
	r = smtpd_resolver_create(&settings);
	if (r == NULL) {
		log_line(log, SMTPD_LOG_WARNING,
		    "there are no DNS servers to compare TLSA records with");
		return;
	}
	ask_dns(&c, r);
	smtpd_resolver_destroy(r);
}
