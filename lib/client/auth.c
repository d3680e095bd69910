/* SPDX-License-Identifier: MIT */
#include "client/auth.h"

#include <string.h>

#include "base/base64.h"
#include "base/text.h"
#include "client/exchange.h"
#include "client/offers.h"
#include "client/starttls.h"
#include "os/random.h"
#include "sasl/plain.h"
#include "sasl/scram_client.h"

/* Octets of a user's name, or of a password. */
#define SECRET_MAX 512

/* A line of AUTH: the base64 of the longest message, and what is before it. */
#define LINE_SIZE (SMTPD_BASE64_LEN(2 * SECRET_MAX + 2) + 32)

#define NONCE_BYTES 18

/* Returns the last reply's code; or -1, and the exchange has failed. */
typedef int mechanism_fn(struct smtpd_client *c);

static int
read_reply(struct smtpd_client *c)
{
	return smtpd__client_exchange_read_reply(
	    c, SMTPD_PHASE_AUTH, c->set.auth_ms, NULL);
}

/*
 * Send PREFIX and the base64 of LEN bytes at DATA, and read the reply.  The
 * caller is shown only the prefix.
 */
static int
run_step(
    struct smtpd_client *c, const char *prefix, const char *data, size_t len)
{
	char line[LINE_SIZE];
	struct smtpd_text t;

	if (*prefix != '\0' && c->set.exchange != NULL)
		c->set.exchange(c->set.exchange_user, true, prefix);
	smtpd__text_init(&t, line, sizeof(line));
	if (*prefix != '\0' && len > 0)
		smtpd__text_format(&t, "%s ", prefix);
	else
		smtpd__text_add(&t, prefix);
	smtpd__base64_encode(&t, data, len);
	if (smtpd__client_exchange_write(c, SMTPD_PHASE_AUTH, "%s", line) == 0)
		return -1;
	return read_reply(c);
}

/* The same for PREFIX, which begins an exchange: a server that knows no initial
 * response asks for it by an empty challenge. */
static int
run_first_step(
    struct smtpd_client *c, const char *prefix, const char *data, size_t len)
{
	int code = run_step(c, prefix, data, len);

	if (code / 100 == 3 && c->reply.text[0] == '\0')
		code = run_step(c, "", data, len);
	return code;
}

static int
auth_plain(struct smtpd_client *c)
{
	char message[2 * SECRET_MAX + 2];
	struct smtpd_text t;

	smtpd__text_init(&t, message, sizeof(message));
	smtpd__plain_write(&t, c->set.user, c->set.password);
	return run_first_step(c, "AUTH PLAIN", message, t.len);
}

static int
auth_login(struct smtpd_client *c)
{
	int code = run_step(c, "AUTH LOGIN", "", 0);

	if (code / 100 == 3)
		code = run_step(c, "", c->set.user, strlen(c->set.user));
	if (code / 100 == 3)
		code =
		    run_step(c, "", c->set.password, strlen(c->set.password));
	return code;
}

/* Decode the challenge of the last reply into OUT of SIZE bytes as a text. */
static int
read_challenge(struct smtpd_client *c, char *out, size_t size)
{
	const char *s = c->reply.text;
	ssize_t n = smtpd__base64_decode(s, strlen(s), out, size - 1);

	if (n < 0 || memchr(out, '\0', (size_t)n) != NULL)
		return -1;
	out[n] = '\0';
	return 0;
}

static int
not_scram(struct smtpd_client *c)
{
	return smtpd__client_exchange_fail(c, SMTPD_PHASE_AUTH, "4.7.0",
	    "the server's part of SCRAM-SHA-256 is wrong");
}

/*
 * The rest of SCRAM, whose first message is MESSAGE.  A server that takes us
 * in without showing that it knows the password is not the one.
 */
static int
run_scram(struct smtpd_client *c, struct smtpd_scram_client *s, char *message)
{
	char challenge[SMTPD_PEER_TEXT_SIZE];
	int code =
	    run_first_step(c, "AUTH SCRAM-SHA-256", message, strlen(message));

	if (code < 0 || code / 100 >= 4)
		return code;
	if (code / 100 != 3 ||
	    read_challenge(c, challenge, sizeof(challenge)) != 0 ||
	    smtpd__scram_client_answer(
		s, challenge, c->set.password, message) != 0)
		return not_scram(c);
	code = run_step(c, "", message, strlen(message));
	if (code < 0 || code / 100 >= 4)
		return code;
	if (code / 100 != 3 ||
	    read_challenge(c, challenge, sizeof(challenge)) != 0 ||
	    !smtpd__scram_client_trusts(s, challenge))
		return not_scram(c);
	return run_step(c, "", "", 0);
}

static int
auth_scram(struct smtpd_client *c)
{
	unsigned char random[NONCE_BYTES];
	char nonce[SMTPD_BASE64_LEN(NONCE_BYTES) + 1];
	char message[SMTPD_SCRAM_MESSAGE_SIZE];
	struct smtpd_scram_client s;
	struct smtpd_text t;

	smtpd__text_init(&t, nonce, sizeof(nonce));
	if (!smtpd__random_bytes(random, sizeof(random)))
		return not_scram(c);
	smtpd__base64_encode(&t, random, sizeof(random));
	if (smtpd__scram_client_begin(&s, c->set.user, nonce, message) != 0)
		return not_scram(c);
	return run_scram(c, &s, message);
}

/* The best first. */
static const struct {
	const char *name;
	mechanism_fn *run;
} mechanisms[] = {
	{ "SCRAM-SHA-256", auth_scram },
	{ "PLAIN", auth_plain },
	{ "LOGIN", auth_login },
};

static bool
is_secret(const char *s)
{
	return s != NULL && strlen(s) <= SECRET_MAX;
}

/* Return true if CODE is about the mechanism, or may be: where it is unknown or
 * too weak, or the server keeps no password for it, the next one may do. */
static bool
is_other_worth_trying(int code)
{
	return code == 504 || code == 534 || code == 535;
}

/* Try the mechanisms that are offered, the best first.  Return the last reply's
 * code; 0: there is none; -1: the exchange has failed. */
static int
try_mechanisms(struct smtpd_client *c)
{
	int code = 0;

	for (size_t i = 0; i < sizeof(mechanisms) / sizeof(mechanisms[0]);
	    i++) {
		if (!smtpd__client_offers_has(c, "AUTH", mechanisms[i].name))
			continue;
		code = mechanisms[i].run(c);
		if (!is_other_worth_trying(code))
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
	if (!is_secret(c->set.user) || !is_secret(c->set.password))
		return smtpd__client_exchange_fail(
		    c, phase, "4.3.5", "no password, or too long a one");
	if (tls == NULL || !tls->verified)
		return smtpd__client_exchange_fail(c, phase, "4.7.0",
		    "the password is not given away without a server whose "
		    "certificate is good");
	c->hidden = true;
	code = try_mechanisms(c);
	c->hidden = false;
	if (code == 0)
		return smtpd__client_exchange_fail(c, phase, "4.7.0",
		    "the server offers no way to authenticate that is known");
	if (code < 0)
		return -1;
	return code / 100 == 2 ? 0 : smtpd__client_exchange_refused(c, phase);
}
