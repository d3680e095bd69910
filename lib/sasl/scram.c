/* SPDX-License-Identifier: MIT */
#include "sasl/scram.h"

#include <string.h>

#include "crypto/digest.h"
#include "crypto/secret.h"

#define HASH SMTPD_SCRAM_HASH_SIZE

const char *
smtpd__scram_take(const char **s, char name, size_t *len)
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

int
smtpd__scram_read_iterations(const char *s, size_t len, uint32_t *out)
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
	return n >= SMTPD_SCRAM_ITERATIONS_MIN &&
		n <= SMTPD_SCRAM_ITERATIONS_MAX
	    ? 0
	    : -1;
}

int
smtpd__scram_sign(
    const unsigned char *key, const char *text, unsigned char *signature)
{
	return smtpd__digest_hmac_sha256(
	    key, HASH, text, strlen(text), signature);
}

int
smtpd__scram_derive(struct smtpd_scram_key *key, const char *password,
    unsigned char *client_key)
{
	unsigned char salted[HASH];
	int result = -1;

	if (smtpd__digest_pbkdf2_sha256(password, strlen(password), key->salt,
		key->salt_len, key->iterations, salted) == 0 &&
	    smtpd__scram_sign(salted, "Client Key", client_key) == 0 &&
	    smtpd__scram_sign(salted, "Server Key", key->server_key) == 0 &&
	    smtpd__digest_sha256(client_key, HASH, key->stored_key) == 0)
		result = 0;
	smtpd__secret_wipe(salted, sizeof(salted));
	return result;
}
