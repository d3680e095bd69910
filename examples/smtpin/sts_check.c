/* SPDX-License-Identifier: MIT */
#include "sts_check.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "text_list.h"

/* A policy is begun in testing, for a week: one that is wrong keeps mail out as
 * long as senders remember it. */
#define POLICY "version: STSv1\nmode: testing\nmx: %s\nmax_age: 604800\n"

#define POLICY_SIZE 512

/* Domains that are printed. */
#define DOMAINS_MAX 100

/* A number that another policy has another one of: FNV-1a. */
static uint64_t
number_of(const char *policy)
{
	uint64_t hash = UINT64_C(14695981039346656037);

	for (; *policy != '\0'; policy++)
		hash =
		    (hash ^ (unsigned char)*policy) * UINT64_C(1099511628211);
	return hash;
}

/* Print each line of POLICY. */
static void
print_lines(const char *policy, struct log *log)
{
	while (*policy != '\0') {
		const int len = (int)strcspn(policy, "\n");

		log_line(log, SMTPD_LOG_INFO, "    %.*s", len, policy);
		policy += len + 1;
	}
}

void
sts_check(const struct users *users, const char *host, struct log *log)
{
	struct text_list domains = { .count = 0 };
	struct users_round round = { .slot = 0 };
	char policy[POLICY_SIZE];
	struct owner owner;

	snprintf(policy, sizeof(policy), POLICY, host);
	while (domains.count < DOMAINS_MAX &&
	    users_next(users, &round, true, &owner)) {
		if (text_list_has(&domains, owner.domain) ||
		    text_list_add(&domains, owner.domain) == -1)
			continue;
		log_line(log, SMTPD_LOG_INFO,
		    "for MTA-STS publish: _mta-sts.%s. IN TXT \"v=STSv1; "
		    "id=%016llx;\" and, as "
		    "https://mta-sts.%s/.well-known/mta-sts.txt, the policy:",
		    owner.domain, (unsigned long long)number_of(policy),
		    owner.domain);
		print_lines(policy, log);
	}
	if (domains.count > 0)
		log_line(log, SMTPD_LOG_INFO,
		    "once reports about TLS tell of no failures, let the "
		    "policies say \"mode: enforce\", and give the records "
		    "another id");
	text_list_finish(&domains);
}
