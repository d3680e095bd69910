/* SPDX-License-Identifier: MIT */
#include "client/ehlo.h"

#include "client/exchange.h"
#include "client/offers.h"
#include "grammar/ehlo_limits.h"

int
smtpd__client_ehlo_greeting(struct smtpd_client *c)
{
	int code = smtpd__client_exchange_read_reply(
	    c, SMTPD_PHASE_GREETING, c->set.greeting_ms, NULL);

	if (code < 0)
		return -1;
	if (code / 100 != 2)
		return smtpd__client_exchange_refused(c, SMTPD_PHASE_GREETING);
	return 0;
}

int
smtpd__client_ehlo(struct smtpd_client *c)
{
	const enum smtpd_phase phase = SMTPD_PHASE_HELLO;
	int code;

	c->offers.len = 0;
	smtpd__ehlo_limits_read(NULL, &c->limits);
	if (smtpd__client_exchange_write(
		c, phase, "%s %s", c->set.lmtp ? "LHLO" : "EHLO", c->helo) == 0)
		return -1;
	code = smtpd__client_exchange_read_reply(
	    c, phase, c->set.hello_ms, smtpd__client_offers_add);
	if (code < 0)
		return -1;
	if (code / 100 == 2) {
		smtpd__ehlo_limits_read(
		    smtpd_client_offers(c, "LIMITS"), &c->limits);
		return 0;
	}
	c->offers.len = 0;
	if (code / 100 == 5 && !c->set.lmtp) {
		code = smtpd__client_exchange_command(
		    c, phase, c->set.hello_ms, "HELO %s", c->helo);
		if (code < 0)
			return -1;
	}
	return code / 100 == 2 ? 0 : smtpd__client_exchange_refused(c, phase);
}
