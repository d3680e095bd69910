/* SPDX-License-Identifier: MIT */
#include "client/dane.h"

#include <string.h>

#include "client/client_state.h"
#include "client/settings.h"

/* Names that a certificate under an authority may bear. */
static void
list_names(struct smtpd_client *c, const struct smtpd_dane_answer *answer,
    const char *domain)
{
	struct smtpd_tls_policy *p = &c->policy;

	c->dane_names[p->nnames++] = answer->base;
	if (strcmp(answer->base, answer->host) != 0)
		c->dane_names[p->nnames++] = answer->host;
	if (domain != NULL)
		c->dane_names[p->nnames++] = domain;
	p->names = c->dane_names;
	p->server_name = answer->base;
}

void
smtpd_client_set_dane(struct smtpd_client *c,
    const struct smtpd_dane_answer *answer, const char *domain)
{
	struct smtpd_tls_policy *p = &c->policy;

	smtpd__client_settings_policy(&c->set, p);
	if (answer == NULL || answer->demand == SMTPD_DANE_NOTHING ||
	    (p->level != SMTPD_SECURITY_OPPORTUNISTIC &&
		p->level != SMTPD_SECURITY_ENCRYPTED))
		return;
	if (answer->demand == SMTPD_DANE_LATER)
		p->refused = answer->reason;
	else
		smtpd__tls_policy_demand_dane(p, answer->records);
	if (p->tlsa != NULL)
		list_names(c, answer, domain);
	smtpd__tls_policy_identify(p);
}
