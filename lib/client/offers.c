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

/* Return true if WORD is among the words of LIST. */
static bool
has_word(const char *list, const char *word)
{
	size_t len = strlen(word);

	while (*list != '\0') {
		size_t n = strcspn(list, " ");

		if (n == len && smtpd__text_same_bytes(list, word, n))
			return true;
		list += n;
		list += strspn(list, " ");
	}
	return false;
}

bool
smtpd__client_offers_has(
    const struct smtpd_client *c, const char *keyword, const char *word)
{
	const char *s = c->offers.text;
	const char *end = s + c->offers.len;
	size_t len = strlen(keyword);

	while (s < end) {
		const char *params = s + strlen(s) + 1;
		bool old = strlen(s) > len && s[len] == '=';

		if (smtpd__text_same(s, keyword) && has_word(params, word))
			return true;
		if (old && smtpd__text_same_bytes(s, keyword, len) &&
		    (smtpd__text_same(s + len + 1, word) ||
			has_word(params, word)))
			return true;
		s = params + strlen(params) + 1;
	}
	return false;
}
