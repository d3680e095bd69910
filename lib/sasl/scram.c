/* SPDX-License-Identifier: MIT */
#include "sasl/scram.h"

#include <string.h>

#include "base/base64.h"
#include "base/text.h"

/* Rounds that a server may ask for: fewer make the password easy to guess (RFC
 * 7677, 4), more would keep the client busy beyond any deadline. */
#define ROUNDS_MIN 4096
#define ROUNDS_MAX 1000000

#define SALT_MAX 256

/* "c=" and "n,,", the header that says: no channel binding. */
#define HEADER  "n,,"
#define BINDING "c=biws"

/* A server's first message. */
struct challenge {
	const char *nonce; /* NONCE_LEN bytes, ours in front */
	size_t nonce_len;
	unsigned char salt[SALT_MAX];
	size_t salt_len;
	uint32_t rounds;
};

/* saslname: "," and "=" are written in another way. */
static void
add_name(struct smtpd_text *t, const char *name)
{
	for (; *name != '\0'; name++) {
		if (*name == ',')
			smtpd__text_add(t, "=2C");
		else if (*name == '=')
			smtpd__text_add(t, "=3D");
		else
			smtpd__text_byte(t, *name);
	}
}

int
smtpd__scram_begin(
    struct smtpd_scram *s, const char *user, const char *nonce, char *out)
{
	struct smtpd_text t;

	s->ready = false;
	smtpd__text_init(&t, s->first, sizeof(s->first) - strlen(HEADER));
	smtpd__text_add(&t, "n=");
	add_name(&t, user);
	smtpd__text_add(&t, ",r=");
	s->nonce = s->first + t.len;
	smtpd__text_add(&t, nonce);
	if (t.cut)
		return -1;
	smtpd__text_init(&t, out, SMTPD_SCRAM_MESSAGE_SIZE);
	smtpd__text_format(&t, HEADER "%s", s->first);
	return 0;
}

/* Take "NAME=value" from *S, up to a comma or the end. */
static const char *
take_value(const char **s, char name, size_t *len)
{
	const char *value = *s + 2;

	if ((*s)[0] != name || (*s)[1] != '=')
		return NULL;
	*len = strcspn(value, ",");
	*s = value + *len;
	if (**s == ',')
		*s += 1;
	return value;
}

static int
read_rounds(const char *s, size_t len, uint32_t *out)
{
	uint32_t n = 0;

	if (len == 0 || len > 7)
		return -1;
	for (size_t i = 0; i < len; i++) {
		if (!smtpd__text_is_digit(s[i]))
			return -1;
		n = n * 10 + (uint32_t)(s[i] - '0');
	}
	*out = n;
	return n >= ROUNDS_MIN && n <= ROUNDS_MAX ? 0 : -1;
}

/* nonce "," salt "," iteration-count ["," extensions] */
static int
read_challenge(
    const struct smtpd_scram *s, const char *text, struct challenge *c)
{
	size_t ours = strlen(s->nonce);
	const char *value;
	ssize_t n;
	size_t len;

	c->nonce = take_value(&text, 'r', &c->nonce_len);
	if (c->nonce == NULL || c->nonce_len <= ours ||
	    memcmp(c->nonce, s->nonce, ours) != 0)
		return -1;
	value = take_value(&text, 's', &len);
	if (value == NULL)
		return -1;
	n = smtpd__base64_decode(value, len, c->salt, sizeof(c->salt));
	if (n <= 0)
		return -1;
	c->salt_len = (size_t)n;
	value = take_value(&text, 'i', &len);
	return value == NULL ? -1 : read_rounds(value, len, &c->rounds);
}

/* From the salted password: the proof that we know it, and the signature that
 * the server is to show (RFC 5802, 3). */
static int
sign_message(struct smtpd_scram *s, const unsigned char *salted,
    const char *message, unsigned char *proof)
{
	unsigned char key[SMTPD_SHA256_SIZE], stored[SMTPD_SHA256_SIZE];
	unsigned char server_key[SMTPD_SHA256_SIZE];
	const size_t size = SMTPD_SHA256_SIZE;
	size_t len = strlen(message);

	if (smtpd__digest_hmac_sha256(salted, size, "Client Key", 10, key) !=
		0 ||
	    smtpd__digest_sha256(key, size, stored) != 0 ||
	    smtpd__digest_hmac_sha256(stored, size, message, len, proof) != 0 ||
	    smtpd__digest_hmac_sha256(
		salted, size, "Server Key", 10, server_key) != 0 ||
	    smtpd__digest_hmac_sha256(
		server_key, size, message, len, s->server_signature) != 0)
		return -1;
	for (size_t i = 0; i < size; i++)
		proof[i] ^= key[i];
	s->ready = true;
	return 0;
}

int
smtpd__scram_answer(struct smtpd_scram *s, const char *challenge,
    const char *password, char *out)
{
	char message[3 * SMTPD_SCRAM_MESSAGE_SIZE];
	unsigned char salted[SMTPD_SHA256_SIZE], proof[SMTPD_SHA256_SIZE];
	struct challenge c;
	struct smtpd_text t, answer;

	if (read_challenge(s, challenge, &c) != 0)
		return -1;
	smtpd__text_init(&answer, out, SMTPD_SCRAM_MESSAGE_SIZE);
	smtpd__text_add(&answer, BINDING ",r=");
	smtpd__text_bytes(&answer, c.nonce, c.nonce_len);
	smtpd__text_init(&t, message, sizeof(message));
	smtpd__text_format(&t, "%s,%s,%s", s->first, challenge, out);
	if (t.cut ||
	    smtpd__digest_pbkdf2_sha256(password, strlen(password), c.salt,
		c.salt_len, c.rounds, salted) != 0 ||
	    sign_message(s, salted, message, proof) != 0)
		return -1;
	smtpd__text_add(&answer, ",p=");
	smtpd__base64_encode(&answer, proof, sizeof(proof));
	return answer.cut ? -1 : 0;
}

bool
smtpd__scram_is_server(const struct smtpd_scram *s, const char *final)
{
	unsigned char shown[SMTPD_SHA256_SIZE];
	unsigned char differs = 0;
	const char *value;
	size_t len;

	value = take_value(&final, 'v', &len);
	if (!s->ready || value == NULL ||
	    smtpd__base64_decode(value, len, shown, sizeof(shown)) !=
		(ssize_t)sizeof(shown))
		return false;
	for (size_t i = 0; i < sizeof(shown); i++)
		differs |= shown[i] ^ s->server_signature[i];
	return differs == 0;
}
