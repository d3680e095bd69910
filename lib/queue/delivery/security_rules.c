/* SPDX-License-Identifier: MIT */
#include "queue/delivery/security_rules.h"

#include <stdlib.h>
#include <string.h>

#include "resolve/dns_message.h"
#include "resolve/hostname.h"

/* Write DOMAIN so that two spellings of it are the same; whether it fits. */
static bool
normalise_domain(const char *domain, char *out)
{
	if (*domain != '[')
		return smtpd__hostname_normalise(domain, out) == 0;
	return smtpd_ascii_lower(domain, out, SMTPD_DNS_HOST_MAX) >= 0;
}

static int
copy_rule(struct smtpd_rule_copy *to, const struct smtpd_security_rule *rule,
    const char *domain)
{
	to->security = rule->security;
	to->names = calloc(rule->nnames + 1, sizeof(*to->names));
	to->domain = strdup(domain);
	if (to->names == NULL || to->domain == NULL)
		return -1;
	for (size_t i = 0; i < rule->nnames; i++, to->nnames++) {
		to->names[i] = strdup(rule->names[i]);
		if (to->names[i] == NULL)
			return -1;
	}
	return 0;
}

int
smtpd__security_rules_copy(struct smtpd_security_rules *rules,
    const struct smtpd_queue_settings *set, struct smtpd_text *error)
{
	char domain[SMTPD_DNS_HOST_MAX];

	if (set->nrules == 0)
		return 0;
	rules->list = calloc(set->nrules, sizeof(*rules->list));
	if (rules->list == NULL)
		return -1;
	while (rules->count < set->nrules) {
		const struct smtpd_security_rule *rule =
		    &set->rules[rules->count];

		if (!normalise_domain(rule->domain, domain)) {
			smtpd__text_format(error,
			    "%s, which has a rule, is not the name of a domain",
			    rule->domain);
			return -1;
		}
		if (copy_rule(&rules->list[rules->count++], rule, domain) == -1)
			return -1;
	}
	return 0;
}

void
smtpd__security_rules_free(struct smtpd_security_rules *rules)
{
	for (size_t i = 0; i < rules->count; i++) {
		struct smtpd_rule_copy *rule = &rules->list[i];

		for (size_t k = 0; k < rule->nnames; k++)
			free(rule->names[k]);
		free(rule->names);
		free(rule->domain);
	}
	free(rules->list);
}

const struct smtpd_rule_copy *
smtpd__security_rules_find(
    const struct smtpd_security_rules *rules, const char *domain)
{
	char name[SMTPD_DNS_HOST_MAX];

	if (rules->count == 0 || !normalise_domain(domain, name))
		return NULL;
	for (size_t i = 0; i < rules->count; i++)
		if (strcmp(rules->list[i].domain, name) == 0)
			return &rules->list[i];
	return NULL;
}
