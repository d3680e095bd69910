/* SPDX-License-Identifier: MIT */
#include "server/auth_mechanisms.h"

#include <stdlib.h>
#include <string.h>

#include "crypto/secret.h"
#include "os/random.h"
#include "sasl/bearer.h"
#include "sasl/plain.h"
#include "sasl/scram_key.h"
#include "sasl/scram_server.h"
#include "server/answer.h"

#define NONCE_BYTES 18

/* Each returns whether the client proved who it is; if not, the reply is
 * set. */
typedef bool mechanism_fn(struct smtpd_session *s);

static bool
fail_with(struct smtpd_session *s, enum smtpd_reply_key key)
{
	smtpd__auth_exchange_fail(s, key);
	return false;
}

/*
 * Ask the program about R, with room for a KEY.  Return what it said, ACCEPTED
 * and KEY only of what they may be said of.  UNAVAILABLE stands for a reply of
 * its own as well, and for a mistake: the reply is set.
 */
static enum smtpd_auth_result
ask_program(struct smtpd_session *s, const struct smtpd_auth_request *r,
    struct smtpd_scram_key *key)
{
	const struct smtpd_settings *settings = &s->config->settings;
	bool shown = r->password != NULL || r->token != NULL;
	struct smtpd_text t;
	int result;

	smtpd__text_init(&t, s->auth->claimed, sizeof(s->auth->claimed));
	smtpd__text_add(&t, r->token != NULL ? r->identity : r->user);
	*key = (struct smtpd_scram_key){ SMTPD_SCRAM_KEY_INIT };
	smtpd__stream_flush_old(&s->stream);
	s->may_reply = true;
	s->auth->judging = true;
	result = settings->auth(s, r, key, settings->auth_user);
	s->auth->judging = false;
	s->may_reply = false;
	if (result == SMTPD_AUTH_REFUSED ||
	    (result == SMTPD_AUTH_ACCEPTED && shown) ||
	    (result == SMTPD_AUTH_KEY && r->token == NULL &&
		smtpd__scram_key_is_valid(key))) {
		s->ws->reply.code = 0;
		return (enum smtpd_auth_result)result;
	}
	if (result == SMTPD_AUTH_UNAVAILABLE) {
		smtpd__auth_exchange_fail(s, SMTPD_REPLY_AUTH_UNAVAILABLE);
	} else {
		smtpd__answer_check(s, result, 0);
		smtpd__auth_exchange_stop(s);
	}
	return SMTPD_AUTH_UNAVAILABLE;
}

/* The name that R's client proved to have, if it may have the identity that it
 * asked for: the program must have said so. */
static bool
accept_name(struct smtpd_session *s, const struct smtpd_auth_request *r)
{
	struct smtpd_auth_exchange *x = s->auth;

	if (x->user == NULL && r->identity[0] != '\0')
		return fail_with(s, SMTPD_REPLY_AUTH_FAILED);
	if (x->user == NULL)
		x->user = strdup(r->user);
	if (x->user == NULL)
		return fail_with(s, SMTPD_REPLY_AUTH_UNAVAILABLE);
	return true;
}

/* R's identity: "" if that is the user. */
static const char *
other_identity(const char *identity, const char *user)
{
	return strcmp(identity, user) == 0 ? "" : identity;
}

/* Do for R's password what would be done if there were such a user. */
static void
judge_nobody(struct smtpd_session *s, const struct smtpd_auth_request *r)
{
	const struct smtpd_server_config *c = s->config;
	struct smtpd_scram_key key;

	if (smtpd__scram_key_make_up(&key, c->auth_secret, r->user,
		c->settings.auth_iterations) == 0)
		smtpd__scram_key_matches(&key, r->password);
	smtpd__secret_wipe(&key, sizeof(key));
}

/* Judge R, which has a password. */
static bool
judge_request(struct smtpd_session *s, const struct smtpd_auth_request *r)
{
	struct smtpd_scram_key key;
	bool right = false;

	switch (ask_program(s, r, &key)) {
	case SMTPD_AUTH_ACCEPTED:
		right = true;
		break;
	case SMTPD_AUTH_KEY:
		right = smtpd__scram_key_matches(&key, r->password);
		break;
	case SMTPD_AUTH_REFUSED:
		judge_nobody(s, r);
		break;
	case SMTPD_AUTH_UNAVAILABLE:
		return false;
	}
	smtpd__secret_wipe(&key, sizeof(key));
	return right ? accept_name(s, r)
		     : fail_with(s, SMTPD_REPLY_AUTH_FAILED);
}

/* RFC 4616, 2 */
static bool
run_plain(struct smtpd_session *s)
{
	char *message = s->auth->message;
	struct smtpd_auth_request r = { .mechanism = s->auth->mechanism };
	struct smtpd_plain plain;
	ssize_t len = smtpd_session_challenge(
	    s, "", 0, message, sizeof(s->auth->message));

	if (len == -1)
		return false;
	if (smtpd__plain_read(message, (size_t)len, &plain) == -1)
		return fail_with(s, SMTPD_REPLY_AUTH_BAD_MESSAGE);
	r.user = plain.user;
	r.identity = other_identity(plain.identity, plain.user);
	r.password = plain.password;
	return judge_request(s, &r);
}

/* Two questions, whose words no client reads.  Some say the name at once. */
static bool
run_login(struct smtpd_session *s)
{
	char name[SMTPD_SASL_NAME_SIZE];
	const struct smtpd_auth_request r = {
		.mechanism = s->auth->mechanism,
		.user = name,
		.identity = "",
		.password = s->auth->message,
	};
	struct smtpd_text t;

	if (smtpd__auth_exchange_ask(
		s, s->auth->initial != NULL ? "" : "Username:") == -1)
		return false;
	if (!smtpd__plain_is_name(s->auth->message))
		return fail_with(s, SMTPD_REPLY_AUTH_BAD_MESSAGE);
	smtpd__text_init(&t, name, sizeof(name));
	smtpd__text_add(&t, s->auth->message);
	if (smtpd__auth_exchange_ask(s, "Password:") == -1)
		return false;
	if (!smtpd__plain_is_password(s->auth->message))
		return fail_with(s, SMTPD_REPLY_AUTH_BAD_MESSAGE);
	return judge_request(s, &r);
}

/* The key of R's user; of one that there is not, one that is made up, so that
 * nobody can tell. */
static bool
find_key(struct smtpd_session *s, const struct smtpd_auth_request *r,
    struct smtpd_scram_key *key)
{
	const struct smtpd_server_config *c = s->config;

	switch (ask_program(s, r, key)) {
	case SMTPD_AUTH_KEY:
		return true;
	case SMTPD_AUTH_REFUSED:
		return smtpd__scram_key_make_up(key, c->auth_secret, r->user,
			   c->settings.auth_iterations) == 0 ||
		    fail_with(s, SMTPD_REPLY_AUTH_UNAVAILABLE);
	case SMTPD_AUTH_ACCEPTED:
	case SMTPD_AUTH_UNAVAILABLE:
		break;
	}
	return false;
}

/* Make the challenge that follows the client's first message. */
static bool
challenge_scram(struct smtpd_session *s, struct smtpd_scram_server *scram,
    const struct smtpd_auth_request *r)
{
	unsigned char random[NONCE_BYTES];
	char nonce[SMTPD_BASE64_LEN(NONCE_BYTES) + 1];
	struct smtpd_scram_key key;
	struct smtpd_text t;
	int result = -1;

	if (!find_key(s, r, &key))
		return false;
	smtpd__text_init(&t, nonce, sizeof(nonce));
	if (smtpd__random_bytes(random, sizeof(random))) {
		smtpd__base64_encode(&t, random, sizeof(random));
		result = smtpd__scram_server_challenge(scram, &key, nonce);
	}
	smtpd__secret_wipe(&key, sizeof(key));
	return result == 0 || fail_with(s, SMTPD_REPLY_AUTH_UNAVAILABLE);
}

/* The exchange of SCRAM: its last message goes in a challenge that is answered
 * by nothing (RFC 4954, 4). */
static bool
exchange_scram(struct smtpd_session *s, struct smtpd_scram_server *scram)
{
	struct smtpd_auth_exchange *x = s->auth;
	struct smtpd_auth_request r = { .mechanism = x->mechanism };
	char final[SMTPD_SCRAM_MESSAGE_SIZE];

	if (smtpd__auth_exchange_ask(s, "") == -1)
		return false;
	if (smtpd__scram_server_begin(scram, x->message) == -1)
		return fail_with(s, SMTPD_REPLY_AUTH_BAD_MESSAGE);
	r.user = scram->user;
	r.identity = other_identity(scram->gs2.identity, scram->user);
	if (!challenge_scram(s, scram, &r) ||
	    smtpd__auth_exchange_ask(s, scram->challenge) == -1)
		return false;
	switch (smtpd__scram_server_judge(scram, x->message, final)) {
	case SMTPD_SCRAM_PROOF_NONE:
		return fail_with(s, SMTPD_REPLY_AUTH_BAD_MESSAGE);
	case SMTPD_SCRAM_PROOF_WRONG:
		return fail_with(s, SMTPD_REPLY_AUTH_FAILED);
	case SMTPD_SCRAM_PROOF_RIGHT:
		break;
	}
	if (smtpd__auth_exchange_ask(s, final) == -1)
		return false;
	if (x->message[0] != '\0')
		return fail_with(s, SMTPD_REPLY_AUTH_BAD_MESSAGE);
	return accept_name(s, &r);
}

/* RFC 7677, 3 */
static bool
run_scram(struct smtpd_session *s)
{
	struct smtpd_scram_server *scram = malloc(sizeof(*scram));
	bool proved;

	if (scram == NULL)
		return fail_with(s, SMTPD_REPLY_AUTH_UNAVAILABLE);
	proved = exchange_scram(s, scram);
	smtpd__secret_wipe(scram, sizeof(*scram));
	free(scram);
	return proved;
}

/* The rest of both mechanisms with a token.  Whose it is, the program says: a
 * name beside it proves nothing.  A client that is refused is told so as an
 * ERROR of HTTP first, and what it answers has no meaning (RFC 7628, 3.2.3). */
static bool
run_bearer(struct smtpd_session *s,
    int (*read)(char *message, struct smtpd_bearer *out), const char *error)
{
	struct smtpd_auth_request r = { .mechanism = s->auth->mechanism,
		.user = "" };
	struct smtpd_bearer bearer;
	struct smtpd_scram_key none;

	if (smtpd__auth_exchange_ask(s, "") == -1)
		return false;
	if (read(s->auth->message, &bearer) == -1)
		return fail_with(s, SMTPD_REPLY_AUTH_BAD_MESSAGE);
	r.identity = bearer.identity;
	r.token = bearer.token;
	switch (
	    *r.token != '\0' ? ask_program(s, &r, &none) : SMTPD_AUTH_REFUSED) {
	case SMTPD_AUTH_ACCEPTED:
		return accept_name(s, &r);
	case SMTPD_AUTH_REFUSED:
	case SMTPD_AUTH_KEY:
		smtpd__auth_exchange_fail_with_challenge(
		    s, SMTPD_REPLY_AUTH_FAILED, error);
		return false;
	case SMTPD_AUTH_UNAVAILABLE:
		break;
	}
	return false;
}

/* RFC 7628, 3.1 */
static bool
run_oauthbearer(struct smtpd_session *s)
{
	return run_bearer(s, smtpd__bearer_read_oauthbearer,
	    "{\"status\":\"invalid_token\"}");
}

static bool
run_xoauth2(struct smtpd_session *s)
{
	return run_bearer(s, smtpd__bearer_read_xoauth2,
	    "{\"status\":\"401\",\"schemes\":\"bearer\"}");
}

bool
smtpd__auth_mechanisms_run(struct smtpd_session *s)
{
	static const struct {
		const char *name;
		mechanism_fn *run;
	} mechanisms[] = {
		{ "PLAIN", run_plain },
		{ "LOGIN", run_login },
		{ "SCRAM-SHA-256", run_scram },
		{ "OAUTHBEARER", run_oauthbearer },
		{ "XOAUTH2", run_xoauth2 },
	};

	if (s->config->settings.auth == NULL)
		return false;
	for (size_t i = 0; i < sizeof(mechanisms) / sizeof(mechanisms[0]); i++)
		if (strcmp(mechanisms[i].name, s->auth->mechanism) == 0)
			return mechanisms[i].run(s);
	return false;
}
