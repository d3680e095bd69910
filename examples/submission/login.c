/* SPDX-License-Identifier: MIT */
/* explicit_bzero(). */
#define _DEFAULT_SOURCE
#include "login.h"

#include <crypt.h>
#include <stdlib.h>
#include <string.h>

#include <smtpd/session.h>

#include "accounts.h"

/* Whether two texts are the same, in a time that only their length decides. */
static bool
is_same(const char *a, const char *b)
{
	size_t len = strlen(a);
	unsigned char differs = 0;

	if (strlen(b) != len)
		return false;
	for (size_t i = 0; i < len; i++)
		differs |= (unsigned char)(a[i] ^ b[i]);
	return differs == 0;
}

/* Compare PASSWORD with KEY, a hash of crypt(3). */
static enum smtpd_auth_result
judge_hash(struct log *log, const struct smtpd_auth_request *r, const char *key)
{
	struct crypt_data *data = calloc(1, sizeof(*data));
	const char *hash;
	bool right;

	if (data == NULL)
		return SMTPD_AUTH_UNAVAILABLE;
	hash = crypt_r(r->password, key, data);
	if (hash == NULL || *hash == '*')
		log_line(log, SMTPD_LOG_WARNING,
		    "this system's crypt(3) does not know a hash that is in "
		    "the file of accounts: make a key by \"submission key\"");
	right = hash != NULL && is_same(hash, key);
	explicit_bzero(data, sizeof(*data));
	free(data);
	return right ? SMTPD_AUTH_ACCEPTED : SMTPD_AUTH_REFUSED;
}

/* Someone without an account is judged by the key of another: it takes as long,
 * and in vain. */
int
login_judge(struct smtpd_session *s, const struct smtpd_auth_request *r,
    struct smtpd_scram_key *key, void *user)
{
	struct accounts *accounts = user;
	char text[ACCOUNTS_KEY_SIZE];
	bool known = accounts_find_key(accounts, r->user, text);
	bool is_scram = smtpd_scram_key_parse(text, key) == 0;
	int result = SMTPD_AUTH_REFUSED;

	(void)s;
	if (is_scram && !known)
		memset(key->stored_key, 0, sizeof(key->stored_key));
	if (is_scram && (known || r->password != NULL))
		result = SMTPD_AUTH_KEY;
	else if (!is_scram && r->password != NULL)
		result = judge_hash(accounts->log, r, text);
	explicit_bzero(text, sizeof(text));
	return result == SMTPD_AUTH_ACCEPTED && !known ? SMTPD_AUTH_REFUSED
						       : result;
}
