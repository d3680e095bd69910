/* SPDX-License-Identifier: MIT */
#include "resolve/dnssec.h"

#include <stdlib.h>

#include "os/clock.h"
#include "resolve/dns.h"
#include "resolve/resolver.h"

/* What is asked for does not matter: that there is nothing is signed too. */
enum smtpd_dnssec
smtpd_resolver_dnssec(
    struct smtpd_resolver *r, const struct smtpd_cancel *cancel)
{
	struct smtpd_dns_answer *answer =
	    smtpd__dns_ask(r->dns, "", SMTPD_DNS_TLSA,
		smtpd__clock_after(smtpd__clock_ms(), r->total_ms), cancel);
	enum smtpd_dnssec dnssec = SMTPD_DNSSEC_ABSENT;

	if (answer == NULL || answer->status == SMTPD_DNS_FAILED)
		dnssec = SMTPD_DNSSEC_UNKNOWN;
	else if (answer->authenticated)
		dnssec = SMTPD_DNSSEC_VALIDATED;
	else if (answer->claimed)
		dnssec = SMTPD_DNSSEC_UNTRUSTED;
	free(answer);
	return dnssec;
}
