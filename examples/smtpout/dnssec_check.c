/* SPDX-License-Identifier: MIT */
#include "dnssec_check.h"

#include <errno.h>
#include <string.h>
#include <sysexits.h>

#include "complain.h"

#define CHECK_MS 3000

int
dnssec_check_servers(struct settings *s)
{
	const struct smtpd_resolver_settings settings = {
		SMTPD_RESOLVER_SETTINGS_INIT,
		.servers = s->dns,
	};
	struct smtpd_resolver *r;

	if (s->dns == NULL)
		return 0;
	r = smtpd_resolver_create(&settings);
	smtpd_resolver_destroy(r);
	if (r != NULL)
		return 0;
	if (errno == EINVAL)
		return complain(PROGRAM, EX_USAGE,
		    "--dns \"%s\": give the address of a DNS server, with its "
		    "port or not: 192.0.2.1, 192.0.2.1:53 or [2001:db8::1]:53",
		    s->dns);
	return complain(PROGRAM, EX_OSERR, "--dns: %s", strerror(errno));
}

void
dnssec_check(const struct smtpd_resolver_settings *resolver, struct log *log)
{
	static const char *const words[] = {
		[SMTPD_DNSSEC_VALIDATED] =
		    "the DNS server validates (DNSSEC): DANE is in use",
		[SMTPD_DNSSEC_UNTRUSTED] =
		    ("the DNS server validates (DNSSEC), but is not on this "
		     "host: DANE is not in use without --trust-resolver, "
		     "which is for a server that nobody else can speak for"),
		[SMTPD_DNSSEC_ABSENT] =
		    ("the DNS server does not validate (DNSSEC): DANE is not "
		     "in use; a server on this host that does, unbound for "
		     "instance, would change that"),
		[SMTPD_DNSSEC_UNKNOWN] =
		    ("the DNS server did not answer: whether DANE can be used "
		     "is not known"),
	};
	struct smtpd_resolver_settings settings = *resolver;
	enum smtpd_dnssec dnssec = SMTPD_DNSSEC_UNKNOWN;
	struct smtpd_resolver *r;

	settings.total_ms = CHECK_MS;
	r = smtpd_resolver_create(&settings);
	if (r != NULL)
		dnssec = smtpd_resolver_dnssec(r, NULL);
	smtpd_resolver_destroy(r);
	log_line(log,
	    dnssec == SMTPD_DNSSEC_VALIDATED ? SMTPD_LOG_INFO
					     : SMTPD_LOG_WARNING,
	    "%s", words[dnssec]);
}
