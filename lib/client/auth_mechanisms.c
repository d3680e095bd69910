/* SPDX-License-Identifier: MIT */
#include "client/auth_mechanisms.h"

#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/text.h"
#include "client/credentials.h"
#include "client/exchange.h"
#include "crypto/secret.h"
#include "os/random.h"
#include "sasl/bearer.h"
#include "sasl/plain.h"
#include "sasl/scram_client.h"

#define NONCE_BYTES 18

/* A longer command has no initial response: "The AUTH command is still subject
 * to the line length limitations" (RFC 4954, 4). */
#define COMMAND_MAX 512

static int
out_of_memory(struct smtpd_client *c)
{
	return smtpd__client_exchange_fail(
	    c, SMTPD_PHASE_AUTH, "4.3.0", "out of memory");
}

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
	size_t size = strlen(prefix) + SMTPD_BASE64_LEN(len) + 2;
	char *line = malloc(size);
	size_t written;
	struct smtpd_text t;

	if (line == NULL)
		return out_of_memory(c);
	if (*prefix != '\0' && c->set.exchange != NULL)
		c->set.exchange(c->set.exchange_user, true, prefix);
	smtpd__text_init(&t, line, size);
	smtpd__text_add(&t, prefix);
	if (*prefix != '\0' && len > 0)
		smtpd__text_byte(&t, ' ');
	smtpd__base64_encode(&t, data, len);
	written = smtpd__client_exchange_write_secret(
	    c, SMTPD_PHASE_AUTH, line, t.len);
	/* What it repeats of this is hidden. */
	smtpd__client_credentials_note_sent(c, line + strlen(prefix));
	smtpd__secret_wipe(line, size);
	free(line);
	return written > 0 ? read_reply(c) : -1;
}

/* The same for PREFIX, which begins an exchange: a server that knows no initial
 * response asks for it by an empty challenge, and for one that is too long it
 * is asked. */
static int
run_first_step(
    struct smtpd_client *c, const char *prefix, const char *data, size_t len)
{
	bool alone =
	    strlen(prefix) + 1 + SMTPD_BASE64_LEN(len) + 2 > COMMAND_MAX;
	int code = run_step(c, prefix, data, alone ? 0 : len);

	if (code / 100 == 3 && (alone || c->reply.text[0] == '\0'))
		code = run_step(c, "", data, len);
	return code;
}

static int
run_plain(struct smtpd_client *c)
{
	char message[2 * SMTPD_CLIENT_PASSWORD_MAX + 2];
	struct smtpd_text t;
	int code;

	smtpd__text_init(&t, message, sizeof(message));
	smtpd__plain_write(&t, c->set.user, c->login.secret);
	code = run_first_step(c, "AUTH PLAIN", message, t.len);
	smtpd__secret_wipe(message, sizeof(message));
	return code;
}

static int
run_login(struct smtpd_client *c)
{
	const char *password = c->login.secret;
	int code = run_step(c, "AUTH LOGIN", "", 0);

	if (code / 100 == 3)
		code = run_step(c, "", c->set.user, strlen(c->set.user));
	if (code / 100 == 3)
		code = run_step(c, "", password, strlen(password));
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
exchange_scram(
    struct smtpd_client *c, struct smtpd_scram_client *s, char *message)
{
	char challenge[SMTPD_PEER_TEXT_SIZE];
	int code =
	    run_first_step(c, "AUTH SCRAM-SHA-256", message, strlen(message));

	if (code < 0 || code / 100 >= 4)
		return code;
	if (code / 100 != 3 ||
	    read_challenge(c, challenge, sizeof(challenge)) != 0 ||
	    smtpd__scram_client_answer(
		s, challenge, c->login.secret, message) != 0)
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
run_scram(struct smtpd_client *c)
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
	return exchange_scram(c, &s, message);
}

/*
 * Begin by COMMAND with MESSAGE, which shows the token.  A server that refuses
 * it says why in a challenge first, and wants some ANSWER to that (RFC 7628,
 * 3.2.3).
 */
static int
exchange_token(struct smtpd_client *c, const char *command,
    const struct smtpd_text *message, const char *answer)
{
	char challenge[SMTPD_PEER_TEXT_SIZE];
	int code;

	if (message->cut)
		return smtpd__client_exchange_fail(c, SMTPD_PHASE_AUTH, "4.7.0",
		    "the token is too long for the server");
	code = run_first_step(c, command, message->at, message->len);
	if (code / 100 != 3)
		return code;
	if (read_challenge(c, challenge, sizeof(challenge)) == 0)
		smtpd__bearer_read_status(
		    challenge, c->login.status, sizeof(c->login.status));
	return run_step(c, "", answer, strlen(answer));
}

/* Room for the message of the longest token, as much as a line may hold. */
#define TOKEN_MESSAGE_SIZE (SMTPD_AUTH_LINE_MAX / 4 * 3 + 1)

static void
write_oauthbearer(struct smtpd_client *c, struct smtpd_text *message)
{
	smtpd__bearer_write_oauthbearer(
	    message, c->set.user, c->host, c->port, c->login.secret);
}

static void
write_xoauth2(struct smtpd_client *c, struct smtpd_text *message)
{
	smtpd__bearer_write_xoauth2(message, c->set.user, c->login.secret);
}

/* Show the token by COMMAND in the message of WRITE; ANSWER is that to a
 * challenge that says why it is refused. */
static int
run_bearer(struct smtpd_client *c, const char *command,
    void (*write)(struct smtpd_client *, struct smtpd_text *),
    const char *answer)
{
	char *message = malloc(TOKEN_MESSAGE_SIZE);
	struct smtpd_text t;
	int code;

	if (message == NULL)
		return out_of_memory(c);
	smtpd__text_init(&t, message, TOKEN_MESSAGE_SIZE);
	write(c, &t);
	code = exchange_token(c, command, &t, answer);
	smtpd__secret_wipe(message, TOKEN_MESSAGE_SIZE);
	free(message);
	return code;
}

static int
run_oauthbearer(struct smtpd_client *c)
{
	return run_bearer(
	    c, "AUTH OAUTHBEARER", write_oauthbearer, SMTPD_BEARER_ACKNOWLEDGE);
}

static int
run_xoauth2(struct smtpd_client *c)
{
	return run_bearer(c, "AUTH XOAUTH2", write_xoauth2, "");
}

const struct smtpd_client_mechanism *
smtpd__client_auth_mechanisms_find(const char *list)
{
	static const struct smtpd_client_mechanism mechanisms[] = {
		{ "SCRAM-SHA-256", false, run_scram },
		{ "OAUTHBEARER", true, run_oauthbearer },
		{ "XOAUTH2", true, run_xoauth2 },
		{ "PLAIN", false, run_plain },
		{ "LOGIN", false, run_login },
	};
	size_t len = strcspn(list, " ");

	for (size_t i = 0; i < sizeof(mechanisms) / sizeof(mechanisms[0]); i++)
		if (strlen(mechanisms[i].name) == len &&
		    smtpd__text_same_bytes(mechanisms[i].name, list, len))
			return &mechanisms[i];
	return NULL;
}
