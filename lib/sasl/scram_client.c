/* SPDX-License-Identifier: MIT */
#include "sasl/scram_client.h"

#include <string.h>

#include "base/base64.h"
#include "crypto/secret.h"
#include "sasl/gs2.h"

/* "c=" and the base64 of the header. */
#define BINDING "c=biws"

int
smtpd__scram_client_begin(struct smtpd_scram_client *s, const char *user,
    const char *nonce, char *out)
{
	struct smtpd_text t;

	s->ready = false;
	smtpd__text_init(
	    &t, s->first, sizeof(s->first) - strlen(SMTPD_GS2_NONE));
	smtpd__text_add(&t, "n=");
	smtpd__gs2_add_name(&t, user);
	smtpd__text_add(&t, ",r=");
	s->nonce = s->first + t.len;
	smtpd__text_add(&t, nonce);
	if (t.cut)
		return -1;
	smtpd__text_init(&t, out, SMTPD_SCRAM_MESSAGE_SIZE);
	smtpd__text_format(&t, SMTPD_GS2_NONE "%s", s->first);
	return 0;
}

/* nonce "," salt "," iteration-count ["," extensions]: salt and count into KEY,
 * the nonce into *NONCE of *NONCE_LEN bytes, ours in front. */
static int
read_challenge(const struct smtpd_scram_client *s, const char *text,
    struct smtpd_scram_key *key, const char **nonce, size_t *nonce_len)
{
	size_t ours = strlen(s->nonce);
	const char *value;
	ssize_t n;
	size_t len;

	*nonce = smtpd__scram_take(&text, 'r', nonce_len);
	if (*nonce == NULL || *nonce_len <= ours ||
	    memcmp(*nonce, s->nonce, ours) != 0)
		return -1;
	value = smtpd__scram_take(&text, 's', &len);
	if (value == NULL)
		return -1;
	n = smtpd__base64_decode(value, len, key->salt, sizeof(key->salt));
	if (n <= 0)
		return -1;
	key->salt_len = (uint32_t)n;
	value = smtpd__scram_take(&text, 'i', &len);
	if (value == NULL)
		return -1;
	return smtpd__scram_read_iterations(value, len, &key->iterations);
}

/* From the keys: the proof that we know the password, and the signature that
 * the server is to show (RFC 5802, 3). */
static int
sign_message(struct smtpd_scram_client *s, const struct smtpd_scram_key *key,
    const unsigned char *client_key, const char *message, unsigned char *proof)
{
	if (smtpd__scram_sign(key->stored_key, message, proof) == -1 ||
	    smtpd__scram_sign(key->server_key, message, s->server_signature) ==
		-1)
		return -1;
	for (size_t i = 0; i < SMTPD_SCRAM_HASH_SIZE; i++)
		proof[i] ^= client_key[i];
	s->ready = true;
	return 0;
}

int
smtpd__scram_client_answer(struct smtpd_scram_client *s, const char *challenge,
    const char *password, char *out)
{
	char message[SMTPD_SCRAM_SIGNED_SIZE];
	unsigned char client_key[SMTPD_SCRAM_HASH_SIZE];
	unsigned char proof[SMTPD_SCRAM_HASH_SIZE];
	struct smtpd_scram_key key;
	struct smtpd_text t, answer;
	const char *nonce;
	size_t nonce_len;
	int result = -1;

	if (read_challenge(s, challenge, &key, &nonce, &nonce_len) == -1)
		return -1;
	smtpd__text_init(&answer, out, SMTPD_SCRAM_MESSAGE_SIZE);
	smtpd__text_add(&answer, BINDING ",r=");
	smtpd__text_bytes(&answer, nonce, nonce_len);
	smtpd__text_init(&t, message, sizeof(message));
	smtpd__text_format(&t, "%s,%s,%s", s->first, challenge, out);
	if (!t.cut && smtpd__scram_derive(&key, password, client_key) == 0 &&
	    sign_message(s, &key, client_key, message, proof) == 0) {
		smtpd__text_add(&answer, ",p=");
		smtpd__base64_encode(&answer, proof, sizeof(proof));
		result = answer.cut ? -1 : 0;
	}
	smtpd__secret_wipe(&key, sizeof(key));
	smtpd__secret_wipe(client_key, sizeof(client_key));
	return result;
}

bool
smtpd__scram_client_trusts(
    const struct smtpd_scram_client *s, const char *final)
{
	unsigned char shown[SMTPD_SCRAM_HASH_SIZE];
	const char *value;
	size_t len;

	value = smtpd__scram_take(&final, 'v', &len);
	return s->ready && value != NULL &&
	    smtpd__base64_decode(value, len, shown, sizeof(shown)) ==
	    (ssize_t)sizeof(shown) &&
	    smtpd__secret_same(shown, s->server_signature, sizeof(shown));
}
