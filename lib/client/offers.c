/* SPDX-License-Identifier: MIT */
#include "client/offers.h"

#include <string.h>

#include "base/text.h"

void
smtpd__client_offers_add(struct smtpd_client *c, const char *s, size_t len)
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
