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

bool
smtpd__bearer_is_token(const char *s)
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
		if (token != NULL && !smtpd__bearer_is_token(token))
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

static void
write_token(struct smtpd_text *t, const char *token)
{
	smtpd__text_add(t, "auth=Bearer ");
	smtpd__text_add(t, token);
	smtpd__text_byte(t, SEPARATOR);
	smtpd__text_byte(t, SEPARATOR);
}

void
smtpd__bearer_write_oauthbearer(struct smtpd_text *t, const char *user,
    const char *host, uint16_t port, const char *token)
{
	smtpd__text_add(t, "n,a=");
	smtpd__gs2_add_name(t, user);
	smtpd__text_byte(t, ',');
	smtpd__text_byte(t, SEPARATOR);
	smtpd__text_format(t, "host=%s", host);
	smtpd__text_byte(t, SEPARATOR);
	smtpd__text_format(t, "port=%u", (unsigned)port);
	smtpd__text_byte(t, SEPARATOR);
	write_token(t, token);
}

void
smtpd__bearer_write_xoauth2(
    struct smtpd_text *t, const char *user, const char *token)
{
	smtpd__text_add(t, "user=");
	smtpd__text_add(t, user);
	smtpd__text_byte(t, SEPARATOR);
	write_token(t, token);
}

static const char *
skip_white(const char *s)
{
	return s + strspn(s, " \t\r\n");
}

/* Only a log shows it: a key of that name is enough, wherever it stands. */
void
smtpd__bearer_read_status(const char *json, char *status, size_t size)
{
	static const char key[] = "\"status\"";
	const char *s = strstr(json, key);
	struct smtpd_text t;

	smtpd__text_init(&t, status, size);
	if (s == NULL)
		return;
	s = skip_white(s + strlen(key));
	if (*s != ':')
		return;
	s = skip_white(s + 1);
	s += *s == '"';
	smtpd__text_filtered(&t, s, strcspn(s, "\"\\ ,}"));
}
