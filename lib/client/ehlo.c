/* SPDX-License-Identifier: MIT */
#include "client/ehlo.h"

#include <string.h>

#include "base/text.h"
#include "client/exchange.h"

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

/* Keep one line of the reply to EHLO, ehlo-keyword *( SP ehlo-param ).  The
 * first is none, but the server's name is no keyword that is asked for. */
static void
keep_offer(struct smtpd_client *c, const char *s, size_t len)
{
	struct smtpd_offers *o = &c->offers;
	const char *space = memchr(s, ' ', len);
	size_t keyword = space != NULL ? (size_t)(space - s) : len;
	struct smtpd_text t;

	if (len + 2 > sizeof(o->text) - o->len)
		return;
	smtpd__text_init(&t, o->text + o->len, sizeof(o->text) - o->len);
	smtpd__text_filtered(&t, s, keyword);
	o->len += keyword + 1;
	smtpd__text_init(&t, o->text + o->len, sizeof(o->text) - o->len);
	if (space != NULL)
		smtpd__text_filtered(&t, space + 1, len - keyword - 1);
	o->len += t.len + 1;
}

int
smtpd__client_ehlo(struct smtpd_client *c)
{
	const enum smtpd_phase phase = SMTPD_PHASE_HELLO;
	int code;

	c->offers.len = 0;
	if (smtpd__client_exchange_write(c, phase, "EHLO %s", c->hostname) == 0)
		return -1;
	code = smtpd__client_exchange_read_reply(
	    c, phase, c->set.hello_ms, keep_offer);
	if (code < 0)
		return -1;
	if (code / 100 == 2)
		return 0;
	c->offers.len = 0;
	if (code / 100 == 5) {
		code = smtpd__client_exchange_command(
		    c, phase, c->set.hello_ms, "HELO %s", c->hostname);
		if (code < 0)
			return -1;
	}
	return code / 100 == 2 ? 0 : smtpd__client_exchange_refused(c, phase);
}

const char *
smtpd_client_offers(const struct smtpd_client *c, const char *keyword)
{
	const char *s = c->offers.text;
	const char *end = s + c->offers.len;

	while (s < end) {
		const char *params = s + strlen(s) + 1;

		if (smtpd__text_same(s, keyword))
			return params;
		s = params + strlen(params) + 1;
	}
	return NULL;
}
