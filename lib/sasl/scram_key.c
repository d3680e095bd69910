/* SPDX-License-Identifier: MIT */
#include "sasl/scram_key.h"

#include <errno.h>
#include <string.h>

#include "base/base64.h"
#include "base/sized.h"
#include "crypto/digest.h"
#include "crypto/secret.h"
#include "os/random.h"
#include "sasl/scram.h"

#define HASH SMTPD_SCRAM_HASH_SIZE

/* The name of the scheme (RFC 5803, 3). */
static const char scheme[] = "SCRAM-SHA-256$";

bool
smtpd__scram_key_is_valid(const struct smtpd_scram_key *key)
{
	return key->salt_len > 0 && key->salt_len <= sizeof(key->salt) &&
	    key->iterations >= SMTPD_SCRAM_ITERATIONS_MIN &&
	    key->iterations <= SMTPD_SCRAM_ITERATIONS_MAX;
}

bool
smtpd__scram_key_matches(
    const struct smtpd_scram_key *key, const char *password)
{
	struct smtpd_scram_key shown = *key;
	unsigned char client_key[HASH];
	bool matches = smtpd__scram_derive(&shown, password, client_key) == 0 &&
	    smtpd__secret_same(shown.stored_key, key->stored_key, HASH);

	smtpd__secret_wipe(client_key, sizeof(client_key));
	smtpd__secret_wipe(&shown, sizeof(shown));
	return matches;
}

int
smtpd__scram_key_make_up(struct smtpd_scram_key *key,
    const unsigned char *secret, const char *user, uint32_t iterations)
{
	unsigned char hash[HASH];

	*key = (struct smtpd_scram_key){ SMTPD_SCRAM_KEY_INIT,
		.iterations = iterations, .salt_len = SMTPD_SCRAM_SALT_SIZE };
	if (smtpd__scram_sign(secret, user, hash) == -1)
		return -1;
	memcpy(key->salt, hash, SMTPD_SCRAM_SALT_SIZE);
	/* The digests of no keys: nobody can find what gives them. */
	return smtpd__digest_hmac_sha256(
		   secret, HASH, hash, HASH, key->stored_key) == 0 &&
		smtpd__digest_hmac_sha256(
		    secret, HASH, key->stored_key, HASH, key->server_key) == 0
	    ? 0
	    : -1;
}

int
smtpd_scram_key_make(
    struct smtpd_scram_key *key, const char *password, uint32_t iterations)
{
	struct smtpd_scram_key made = { SMTPD_SCRAM_KEY_INIT,
		.iterations =
		    iterations != 0 ? iterations : SMTPD_SCRAM_ITERATIONS,
		.salt_len = SMTPD_SCRAM_SALT_SIZE };
	unsigned char client_key[HASH];
	int error = 0;

	if (key == NULL || password == NULL ||
	    !smtpd__scram_key_is_valid(&made))
		error = EINVAL;
	else if (!smtpd__random_bytes(made.salt, made.salt_len))
		error = EIO;
	else if (smtpd__scram_derive(&made, password, client_key) == -1)
		error = ENOTSUP;
	else if (smtpd__sized_fill(key, &made, sizeof(made)) == -1)
		error = EINVAL;
	smtpd__secret_wipe(client_key, sizeof(client_key));
	smtpd__secret_wipe(&made, sizeof(made));
	errno = error != 0 ? error : errno;
	return error != 0 ? -1 : 0;
}

int
smtpd_scram_key_write(const struct smtpd_scram_key *key, char *buf, size_t size)
{
	struct smtpd_scram_key k;
	struct smtpd_text t;

	if (key == NULL || buf == NULL ||
	    smtpd__sized_copy(&k, sizeof(k), key) == -1 ||
	    !smtpd__scram_key_is_valid(&k)) {
		errno = EINVAL;
		return -1;
	}
	smtpd__text_init(&t, buf, size);
	smtpd__text_add(&t, scheme);
	smtpd__text_number(&t, k.iterations);
	smtpd__text_byte(&t, ':');
	smtpd__base64_encode(&t, k.salt, k.salt_len);
	smtpd__text_byte(&t, '$');
	smtpd__base64_encode(&t, k.stored_key, HASH);
	smtpd__text_byte(&t, ':');
	smtpd__base64_encode(&t, k.server_key, HASH);
	smtpd__secret_wipe(&k, sizeof(k));
	if (!t.cut)
		return (int)t.len;
	errno = ERANGE;
	return -1;
}

/* The length of the part at *S up to byte END, behind which *S moves.  Return
 * -1 where there is no END. */
static int
take_part(const char **s, char end, const char **part)
{
	size_t len = strcspn(*s, (const char[]){ end, '\0' });

	*part = *s;
	if ((*s)[len] != end)
		return -1;
	*s += len + (end != '\0');
	return (int)len;
}

/* Read base64 up to byte END at *S into OUT of SIZE bytes.  Return the length,
 * or -1. */
static ssize_t
take_base64(const char **s, char end, unsigned char *out, size_t size)
{
	const char *part;
	int len = take_part(s, end, &part);

	return len == -1 ? -1
			 : smtpd__base64_decode(part, (size_t)len, out, size);
}

/* scheme iterations ":" salt "$" stored-key ":" server-key */
static int
parse_key(const char *s, struct smtpd_scram_key *k)
{
	const char *part;
	ssize_t salt_len;
	int len;

	if (strncmp(s, scheme, strlen(scheme)) != 0)
		return -1;
	s += strlen(scheme);
	len = take_part(&s, ':', &part);
	if (len == -1 ||
	    smtpd__scram_read_iterations(part, (size_t)len, &k->iterations) ==
		-1)
		return -1;
	salt_len = take_base64(&s, '$', k->salt, sizeof(k->salt));
	if (salt_len <= 0)
		return -1;
	k->salt_len = (uint32_t)salt_len;
	return take_base64(&s, ':', k->stored_key, HASH) == HASH &&
		take_base64(&s, '\0', k->server_key, HASH) == HASH
	    ? 0
	    : -1;
}

int
smtpd_scram_key_parse(const char *text, struct smtpd_scram_key *key)
{
	struct smtpd_scram_key k = { SMTPD_SCRAM_KEY_INIT };
	int result = -1;

	if (text != NULL && key != NULL && parse_key(text, &k) == 0)
		result = smtpd__sized_fill(key, &k, sizeof(k));
	smtpd__secret_wipe(&k, sizeof(k));
	if (result == -1)
		errno = EINVAL;
	return result;
}
