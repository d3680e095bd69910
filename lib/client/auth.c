/* SPDX-License-Identifier: MIT */
#include "client/auth.h"

#include <string.h>

#include "client/auth_mechanisms.h"
#include "client/credentials.h"
#include "client/exchange.h"
#include "client/offers.h"
#include "client/starttls.h"

/* Return true if CODE is about mechanism M, or may be: where it is unknown or
 * too weak, or the server keeps no password for it, the next one may do.  A
 * token that is refused is the same in all of them. */
static bool
is_other_worth_trying(const struct smtpd_client_mechanism *m, int code)
{
	return code == 504 || code == 534 || (code == 535 && !m->takes_token);
}

/* Try the mechanisms that are offered, in the order of the settings.  Return
 * the last reply's code; 0: there is none; -1: the exchange has failed. */
static int
try_mechanisms(struct smtpd_client *c)
{
	const char *list = c->set.mechanisms;
	int code = 0;

	for (; *list != '\0'; list += strspn(list, " ")) {
		const struct smtpd_client_mechanism *m =
		    smtpd__client_auth_mechanisms_find(list);

		list += strcspn(list, " ");
		if (m->takes_token != c->login.is_token ||
		    !smtpd__client_offers_has(c, "AUTH", m->name))
			continue;
		code = m->run(c);
		if (!is_other_worth_trying(m, code))
			break;
	}
	return code;
}

int
smtpd__client_auth(struct smtpd_client *c)
{
	const enum smtpd_phase phase = SMTPD_PHASE_AUTH;
	const struct smtpd_client_tls_info *tls = smtpd_client_tls(c);
	int code;

	if (c->set.user == NULL)
		return 0;
	if (tls == NULL || !tls->verified)
		return smtpd__client_exchange_fail(c, phase, "4.7.0",
		    "the %s is not given away without a server whose "
		    "certificate is good",
		    c->login.is_token ? "token" : "password");
	c->hidden = true;
	code = try_mechanisms(c);
	c->hidden = false;
	if (code == 0)
		return smtpd__client_exchange_fail(c, phase, "4.7.0",
		    c->login.is_token
			? "the server offers no way to log in by a token"
			: "the server offers no way to authenticate that is "
			  "known");
	if (code > 0 && code / 100 == 2)
		return 0;
	if (code > 0)
		smtpd__client_exchange_refused(c, phase);
	smtpd__client_credentials_explain(c);
	return -1;
}
