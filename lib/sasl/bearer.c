/* SPDX-License-Identifier: MIT */
#include "sasl/bearer.h"

#include <string.h>

#include "sasl/plain.h"

#define SEPARATOR '\x01'

/* Divide *S at its first separator, and move it behind.  Return what stood in
 * front, or NULL where there is no separator. */
static char *
take_pair(char **s)
{
	char *pair = *s;
	char *end = strchr(pair, SEPARATOR);

	if (end == NULL)
		return NULL;
	*end = '\0';
	*s = end + 1;
	return pair;
}

/* The value of PAIR if it begins with KEY, its case ignored; else NULL. */
static const char *
value_of(const char *pair, const char *key)
{
	size_t len = strlen(key);

	return strlen(pair) >= len && smtpd__text_same_bytes(pair, key, len)
	    ? pair + len
	    : NULL;
}

/* 1*( VCHAR ): all that a header field of HTTP could hold here (RFC 6750,
 * 2.1). */
static bool
is_token(const char *s)
{
	const char *at = s;

	while (*at > ' ' && *at <= '~')
		at++;
	return at > s && *at == '\0';
}

/* *kvpair and the separator that ends them: "auth" has the token.  Other keys,
 * like the host that the client believes to talk to, prove nothing. */
static int
read_pairs(char *s, struct smtpd_bearer *out)
{
	out->token = NULL;
	for (;;) {
		const char *pair = take_pair(&s);
		const char *token;

		if (pair == NULL)
			return -1;
		if (pair[0] == '\0')
			break;
		token = value_of(pair, "auth=Bearer ");
		if (token != NULL && !is_token(token))
			return -1;
		if (token == NULL && smtpd__text_same(pair, "auth="))
			token = "";
		if (token != NULL)
			out->token = token;
	}
	return out->token != NULL && *s == '\0' ? 0 : -1;
}

int
smtpd__bearer_read_oauthbearer(char *message, struct smtpd_bearer *out)
{
	struct smtpd_gs2 gs2;

	if (smtpd__gs2_read(message, &gs2) == -1 ||
	    message[gs2.len] != SEPARATOR)
		return -1;
	memcpy(out->identity, gs2.identity, sizeof(out->identity));
	return read_pairs(message + gs2.len + 1, out);
}

int
smtpd__bearer_read_xoauth2(char *message, struct smtpd_bearer *out)
{
	const char *pair = take_pair(&message);
	const char *user = pair != NULL ? value_of(pair, "user=") : NULL;
	struct smtpd_text t;

	if (user == NULL || !smtpd__plain_is_name(user))
		return -1;
	smtpd__text_init(&t, out->identity, sizeof(out->identity));
	smtpd__text_add(&t, user);
	return read_pairs(message, out);
}
