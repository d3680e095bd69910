/* SPDX-License-Identifier: MIT */
#include "sasl/scram_server.h"

#include <string.h>

#include "base/base64.h"
#include "crypto/digest.h"
#include "crypto/secret.h"

#define HASH SMTPD_SCRAM_HASH_SIZE

/* The first message without its header. */
static const char *
first_bare(const struct smtpd_scram_server *s)
{
	return s->first + s->gs2.len;
}

/* The longest nonce of a client: the challenge has room for it beside ours and
 * any salt, in base64. */
#define NONCE_MAX 512

/* Whether LEN bytes at S are printable, and none too many. */
static bool
is_nonce(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (s[i] <= ' ' || s[i] > '~')
			return false;
	}
	return len > 0 && len <= NONCE_MAX;
}

/* gs2-header username "," nonce ["," extensions]: a mandatory extension, "m=",
 * stands where the name should. */
int
smtpd__scram_server_begin(struct smtpd_scram_server *s, const char *message)
{
	const char *at, *value;
	struct smtpd_text t;
	size_t len;

	smtpd__text_init(&t, s->first, sizeof(s->first));
	smtpd__text_add(&t, message);
	if (t.cut || smtpd__gs2_read(s->first, &s->gs2) == -1)
		return -1;
	at = first_bare(s);
	value = smtpd__scram_take(&at, 'n', &len);
	if (value == NULL || smtpd__gs2_read_name(value, len, s->user) == -1)
		return -1;
	value = smtpd__scram_take(&at, 'r', &len);
	return value != NULL && is_nonce(value, len) ? 0 : -1;
}

int
smtpd__scram_server_challenge(struct smtpd_scram_server *s,
    const struct smtpd_scram_key *key, const char *nonce)
{
	const char *at = first_bare(s);
	const char *theirs;
	struct smtpd_text t;
	size_t len;

	s->key = *key;
	smtpd__scram_take(&at, 'n', &len);
	theirs = smtpd__scram_take(&at, 'r', &len);
	smtpd__text_init(&t, s->challenge, sizeof(s->challenge));
	smtpd__text_add(&t, "r=");
	smtpd__text_bytes(&t, theirs, len);
	smtpd__text_format(&t, "%s,s=", nonce);
	smtpd__base64_encode(&t, key->salt, key->salt_len);
	smtpd__text_add(&t, ",i=");
	smtpd__text_number(&t, key->iterations);
	return t.cut ? -1 : 0;
}

/* channel-binding: the header of the first message once more. */
static bool
is_bound(const struct smtpd_scram_server *s, const char *value, size_t len)
{
	char header[SMTPD_SCRAM_MESSAGE_SIZE];
	ssize_t n = smtpd__base64_decode(value, len, header, sizeof(header));

	return n == (ssize_t)s->gs2.len &&
	    memcmp(header, s->first, (size_t)n) == 0;
}

/* The nonce of the challenge: all of it must come back. */
static bool
is_same_nonce(const struct smtpd_scram_server *s, const char *value, size_t len)
{
	const char *at = s->challenge;
	size_t wanted;
	const char *nonce = smtpd__scram_take(&at, 'r', &wanted);

	return len == wanted && memcmp(value, nonce, len) == 0;
}

/* channel-binding "," nonce ["," extensions] "," proof: the length of what is
 * in front of the proof, which is written to PROOF; or -1. */
static int
read_final(const struct smtpd_scram_server *s, const char *message,
    unsigned char *proof)
{
	const char *at = message;
	const char *value, *end;
	size_t len;

	value = smtpd__scram_take(&at, 'c', &len);
	if (value == NULL || !is_bound(s, value, len))
		return -1;
	value = smtpd__scram_take(&at, 'r', &len);
	if (value == NULL || !is_same_nonce(s, value, len))
		return -1;
	end = strrchr(message, ',');
	at = end + 1;
	value = smtpd__scram_take(&at, 'p', &len);
	if (value == NULL ||
	    smtpd__base64_decode(value, len, proof, HASH) != HASH)
		return -1;
	return (int)(end - message);
}

/* Whether the client that made PROOF of SIGNED_TEXT has the key that was stored
 * (RFC 5802, 3). */
static bool
is_proof(const struct smtpd_scram_server *s, const char *signed_text,
    const unsigned char *proof)
{
	unsigned char client_key[HASH], digest[HASH];
	bool right = false;

	if (smtpd__scram_sign(s->key.stored_key, signed_text, client_key) ==
	    0) {
		for (size_t i = 0; i < HASH; i++)
			client_key[i] ^= proof[i];
		right = smtpd__digest_sha256(client_key, HASH, digest) == 0 &&
		    smtpd__secret_same(digest, s->key.stored_key, HASH);
	}
	smtpd__secret_wipe(client_key, sizeof(client_key));
	return right;
}

enum smtpd_scram_proof
smtpd__scram_server_judge(
    const struct smtpd_scram_server *s, const char *message, char *out)
{
	char signed_text[SMTPD_SCRAM_SIGNED_SIZE];
	unsigned char proof[HASH], signature[HASH];
	int len = strlen(message) < SMTPD_SCRAM_MESSAGE_SIZE
	    ? read_final(s, message, proof)
	    : -1;
	struct smtpd_text t;

	if (len == -1)
		return SMTPD_SCRAM_PROOF_NONE;
	smtpd__text_init(&t, signed_text, sizeof(signed_text));
	smtpd__text_format(
	    &t, "%s,%s,%.*s", first_bare(s), s->challenge, len, message);
	if (t.cut || !is_proof(s, signed_text, proof) ||
	    smtpd__scram_sign(s->key.server_key, signed_text, signature) == -1)
		return SMTPD_SCRAM_PROOF_WRONG;
	smtpd__text_init(&t, out, SMTPD_SCRAM_MESSAGE_SIZE);
	smtpd__text_add(&t, "v=");
	smtpd__base64_encode(&t, signature, HASH);
	return SMTPD_SCRAM_PROOF_RIGHT;
}
