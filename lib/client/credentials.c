/* SPDX-License-Identifier: MIT */
#include "client/credentials.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "client/exchange.h"
#include "crypto/secret.h"
#include "sasl/bearer.h"
#include "sasl/plain.h"

/* So many characters of a secret in a row are hidden; all of a shorter one. */
#define HIDDEN_MIN 4
#define HIDDEN_MAX 8

void
smtpd__client_credentials_forget(struct smtpd_client *c)
{
	struct smtpd_login *l = &c->login;

	smtpd__secret_free(l->sent);
	if (l->given != NULL)
		smtpd__secret_wipe(l->given, sizeof(*l->given));
	free(l->given);
	*l = (struct smtpd_login){ .secret = NULL };
}

/* Whether the secret can be sent at all: a name or a token with a separator in
 * it would say something else than it means. */
static bool
is_fit(const struct smtpd_client *c)
{
	const struct smtpd_login *l = &c->login;

	if (l->is_token)
		return smtpd__plain_is_name(c->set.user) &&
		    smtpd__bearer_is_token(l->secret);
	return l->secret != NULL &&
	    strlen(c->set.user) <= SMTPD_CLIENT_PASSWORD_MAX &&
	    strlen(l->secret) <= SMTPD_CLIENT_PASSWORD_MAX;
}

/* Ask the callback.  Return -1 without an answer. */
static int
ask_program(struct smtpd_client *c)
{
	struct smtpd_login *l = &c->login;

	l->given->is_token = false;
	l->given->reason[0] = '\0';
	if (c->set.credentials(c->set.credentials_user, l->given) == -1)
		return -1;
	l->given->secret[sizeof(l->given->secret) - 1] = '\0';
	l->secret = l->given->secret;
	l->is_token = l->given->is_token;
	return 0;
}

static const char *
reason_of(struct smtpd_login *l)
{
	l->given->reason[sizeof(l->given->reason) - 1] = '\0';
	return l->given->reason[0] != '\0' ? l->given->reason
					   : "the program has none";
}

int
smtpd__client_credentials_get(struct smtpd_client *c, const char *host)
{
	const enum smtpd_phase phase = SMTPD_PHASE_AUTH;
	struct smtpd_login *l = &c->login;

	smtpd__client_credentials_forget(c);
	if (c->set.user == NULL)
		return 0;
	l->secret = c->set.password;
	if (c->set.credentials != NULL) {
		l->given = calloc(1, sizeof(*l->given));
		if (l->given == NULL)
			return smtpd__client_exchange_fail(
			    c, phase, "4.3.0", "out of memory");
		l->given->user = c->set.user;
		l->given->host = host;
		l->given->cancel = c->set.cancel;
		if (ask_program(c) == -1)
			return smtpd__client_exchange_fail(c, phase, "4.7.0",
			    "nothing to log in with as %s: %s", c->set.user,
			    reason_of(l));
	}
	if (is_fit(c))
		return 0;
	return smtpd__client_exchange_fail(c, phase, "4.3.5",
	    l->is_token ? "what should be a token is none, or the user is none"
			: "no password, or too long a one");
}

/* Refusals that no other token changes: the mailbox may not send by SMTP. */
static bool
is_about_policy(const struct smtpd_result *r)
{
	return strcmp(r->status, "5.7.139") == 0 ||
	    strcmp(r->status, "5.7.57") == 0;
}

/* Append TEXT in parentheses to the result. */
static void
append_reason(struct smtpd_client *c, const char *text)
{
	char *at = c->result.text;
	size_t len = strlen(at);
	struct smtpd_text t;

	smtpd__text_init(&t, at + len, sizeof(c->result.text) - len);
	smtpd__text_add(&t, " (");
	smtpd__text_filtered(&t, text, strlen(text));
	smtpd__text_byte(&t, ')');
}

/* Ask the callback for another secret than the one that was refused.  Return
 * whether there is one that can be sent; if not, its reason says why. */
static bool
ask_for_another(struct smtpd_client *c)
{
	struct smtpd_login *l = &c->login;
	char *old = strdup(l->secret);
	bool answered, same;

	if (old == NULL)
		return false;
	l->given->refused = true;
	l->given->host = c->host;
	answered = ask_program(c) == 0;
	same = answered && strcmp(old, l->secret) == 0;
	smtpd__secret_free(old);
	if (same)
		snprintf(l->given->reason, sizeof(l->given->reason),
		    "there is no other yet");
	return answered && !same && is_fit(c);
}

bool
smtpd__client_credentials_renew(struct smtpd_client *c)
{
	struct smtpd_login *l = &c->login;
	const struct smtpd_result *r = &c->result;

	if (l->given == NULL || l->renewed || r->phase != SMTPD_PHASE_AUTH ||
	    r->code != 535 || is_about_policy(r))
		return false;
	l->renewed = true;
	if (ask_for_another(c))
		return true;
	append_reason(c, reason_of(l));
	return false;
}

/* The longest line has the secret; others are names and answers. */
void
smtpd__client_credentials_note_sent(struct smtpd_client *c, const char *text)
{
	struct smtpd_login *l = &c->login;

	if (l->sent != NULL && strlen(l->sent) >= strlen(text))
		return;
	smtpd__secret_free(l->sent);
	l->sent = strdup(text);
}

/* Write "*" over what TEXT, that of a result, has of SECRET: any characters of
 * it in a row, so many as are no chance. */
static void
hide_secret(char *text, const char *secret)
{
	char copy[SMTPD_REASON_SIZE];
	size_t len = strlen(text), room = strlen(secret);
	size_t window = room < HIDDEN_MAX ? room : HIDDEN_MAX;

	if (window < HIDDEN_MIN)
		return;
	memcpy(copy, text, len);
	for (size_t i = 0; i + window <= len; i++)
		for (size_t k = 0; k + window <= room; k++)
			if (memcmp(copy + i, secret + k, window) == 0) {
				memset(text + i, '*', window);
				break;
			}
}

void
smtpd__client_credentials_explain(struct smtpd_client *c)
{
	const struct smtpd_login *l = &c->login;

	if (l->secret != NULL)
		hide_secret(c->result.text, l->secret);
	if (l->sent != NULL)
		hide_secret(c->result.text, l->sent);
	if (l->status[0] != '\0')
		append_reason(c, l->status);
}
