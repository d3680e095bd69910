/* SPDX-License-Identifier: MIT */
#include "resolve/fetch.h"

#include "os/clock.h"

struct smtpd_dns_answer *
smtpd__fetch_answer(const struct smtpd_resolver *r, const char *name,
    enum smtpd_dns_type type, uint64_t deadline,
    const struct smtpd_cancel *cancel)
{
	struct smtpd_dns_answer *answer =
	    smtpd__cache_get(r->cache, name, type, smtpd__clock_ms());

	if (answer != NULL)
		return answer;
	answer = smtpd__dns_ask(r->dns, name, type, deadline, cancel);
	if (answer != NULL)
		smtpd__cache_put(
		    r->cache, name, type, answer, smtpd__clock_ms());
	return answer;
}
