/* SPDX-License-Identifier: MIT */
#include "dkim/signer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <smtpd/address.h>
#include <smtpd/tls.h>

#include "base/sized.h"
#include "base/text.h"
#include "crypto/pem.h"
#include "os/sched.h"

/* RFC 8301, 3.2 */
#define BITS_MIN 1024

#define ED25519_SIZE 64

/* More copies of a key than processors can use at a time. */
#define COPIES_MAX 16

#define DOMAIN_SIZE 256

/* What a name in the DNS may have, without the middle of that of a key. */
#define NAMES_MAX (253 - (sizeof("._domainkey.") - 1))

struct smtpd_dkim *
smtpd_dkim_create(void)
{
	struct smtpd_dkim *d;

	if (!smtpd_tls_supported()) {
		errno = ENOTSUP;
		return NULL;
	}
	d = calloc(1, sizeof(*d));
	if (d == NULL)
		return NULL;
	atomic_init(&d->refs, 1);
	atomic_init(&d->frozen, false);
	smtpd__dkim_field_list_parse(SMTPD_DKIM_FIELDS, &d->fields);
	return d;
}

struct smtpd_dkim *
smtpd_dkim_ref(struct smtpd_dkim *d)
{
	atomic_fetch_add(&d->refs, 1);
	return d;
}

static void
free_key(struct smtpd_dkim_signer_key *key)
{
	smtpd__rsa_key_free(key->rsa);
	free(key->domain);
	free(key->selector);
}

void
smtpd_dkim_unref(struct smtpd_dkim *d)
{
	if (d == NULL || atomic_fetch_sub(&d->refs, 1) > 1)
		return;
	for (size_t i = 0; i < d->count; i++)
		free_key(&d->keys[i]);
	free(d->keys);
	free(d);
}

size_t
smtpd_dkim_count(const struct smtpd_dkim *d)
{
	return d->count;
}

/* Return -1 with errno ERROR, after the reason. */
static int
fail_with(char *error, size_t size, int code, const char *what, const char *why)
{
	snprintf(error, size, "%s%s%s", what, *what != '\0' ? " " : "", why);
	errno = code;
	return -1;
}

static bool
is_name(const char *text)
{
	for (const char *label = text;; text++) {
		if (*text == '.' || *text == '\0') {
			if (text == label || text - label > 63)
				return false;
			label = text + 1;
		} else if (!smtpd__text_is_alnum((unsigned char)*text) &&
		    *text != '-' && *text != '_') {
			return false;
		}
		if (*text == '\0')
			return true;
	}
}

/* Copy NAME of the key, in lower case and A-labels, to *OUT. */
static int
copy_name(
    const char *name, char **out, const char *what, char *error, size_t size)
{
	char key[DOMAIN_SIZE];

	if (name == NULL ||
	    smtpd_address_domain_key(name, key, sizeof(key)) == -1 ||
	    strlen(key) > 253 || !is_name(key))
		return fail_with(error, size, EINVAL, what, "is no name");
	*out = strdup(key);
	return *out != NULL ? 0
			    : fail_with(error, size, ENOMEM, "", "no memory");
}

static size_t
count_copies(void)
{
	unsigned n = smtpd__sched_processors();

	return n < COPIES_MAX ? n : COPIES_MAX;
}

/* Read the private key of GIVEN into KEY. */
static int
read_private_key(const struct smtpd_dkim_key *given,
    struct smtpd_dkim_signer_key *key, char *error, size_t size)
{
	const char *name = given->file != NULL ? given->file : "the key";
	struct smtpd_pem pem = { .text = NULL };
	const char *why = NULL;
	int code;

	if (given->algorithm != SMTPD_DKIM_RSA_SHA256)
		return fail_with(error, size, EINVAL, name,
		    "can sign with ed25519 by a callback only");
	code = given->file != NULL
	    ? smtpd__pem_read(&pem, given->file)
	    : smtpd__pem_copy(&pem, given->pem, given->pem_len);
	if (code == 0) {
		key->rsa = smtpd__rsa_key_read(&pem, count_copies(), &why);
		code = key->rsa != NULL ? 0 : errno;
	}
	smtpd__pem_free(&pem);
	if (code != 0) {
		snprintf(error, size, "%s: %s", name,
		    why != NULL ? why : strerror(code));
		errno = code;
		return -1;
	}
	if (smtpd__rsa_key_bits(key->rsa) < BITS_MIN)
		return fail_with(error, size, EINVAL, name,
		    "has less than 1024 bits, which nobody verifies");
	key->signature_size = smtpd__rsa_key_bits(key->rsa) / 8;
	return 0;
}

/* Set KEY up for the callback of GIVEN. */
static int
use_callback(const struct smtpd_dkim_key *given,
    struct smtpd_dkim_signer_key *key, char *error, size_t size)
{
	key->sign = given->sign;
	key->user = given->user;
	key->signature_size = given->algorithm == SMTPD_DKIM_ED25519_SHA256
	    ? ED25519_SIZE
	    : given->signature_size;
	if (given->file != NULL || given->pem != NULL)
		return fail_with(error, size, EINVAL, "",
		    "a key has a callback and is given as well");
	if (key->algorithm == SMTPD_DKIM_RSA_SHA256 &&
	    (key->signature_size < BITS_MIN / 8 ||
		key->signature_size > SMTPD_DKIM_SIGNATURE_MAX))
		return fail_with(error, size, EINVAL, "",
		    "signature_size of a key is not 128 to 512 octets");
	return 0;
}

/* Fill KEY, which is zero, as GIVEN says; it is to be freed in any case. */
static int
fill_key(const struct smtpd_dkim_key *given, struct smtpd_dkim_signer_key *key,
    char *error, size_t size)
{
	key->subdomains = given->subdomains;
	key->algorithm = given->algorithm;
	if (given->algorithm > SMTPD_DKIM_ED25519_SHA256)
		return fail_with(error, size, EINVAL, "", "no such algorithm");
	if (copy_name(given->domain, &key->domain, "the domain of a key", error,
		size) == -1 ||
	    copy_name(given->selector, &key->selector, "the selector of a key",
		error, size) == -1)
		return -1;
	if (strlen(key->domain) + strlen(key->selector) > NAMES_MAX)
		return fail_with(error, size, EINVAL, "",
		    "the selector and the domain of a key are too long");
	if (given->sign != NULL)
		return use_callback(given, key, error, size);
	if (given->file == NULL && given->pem == NULL)
		return fail_with(error, size, EINVAL, "",
		    "a key has no file, no text and no callback");
	return read_private_key(given, key, error, size);
}

int
smtpd_dkim_add_key(struct smtpd_dkim *d, const struct smtpd_dkim_key *key,
    char *error, size_t size)
{
	struct smtpd_dkim_signer_key new_key = { .domain = NULL };
	struct smtpd_dkim_signer_key *keys;
	struct smtpd_dkim_key given;
	int code;

	if (atomic_load(&d->frozen))
		return fail_with(
		    error, size, EBUSY, "", "the signer is in use");
	if (key == NULL || smtpd__sized_copy(&given, sizeof(given), key) == -1)
		return fail_with(error, size, EINVAL, "",
		    "the size of a key is not set, or this library is too old "
		    "for it");
	if (fill_key(&given, &new_key, error, size) == 0) {
		keys = realloc(d->keys, (d->count + 1) * sizeof(*keys));
		if (keys != NULL) {
			d->keys = keys;
			keys[d->count++] = new_key;
			return 0;
		}
		fail_with(error, size, ENOMEM, "", "no memory");
	}
	code = errno;
	free_key(&new_key);
	errno = code;
	return -1;
}

int
smtpd_dkim_set_fields(
    struct smtpd_dkim *d, const char *list, char *error, size_t size)
{
	struct smtpd_dkim_field_list *fields;
	const char *fault;

	if (atomic_load(&d->frozen))
		return fail_with(
		    error, size, EBUSY, "", "the signer is in use");
	fields = malloc(sizeof(*fields));
	if (fields == NULL)
		return fail_with(error, size, ENOMEM, "", "no memory");
	fault = smtpd__dkim_field_list_parse(list, fields);
	if (fault == NULL)
		d->fields = *fields;
	free(fields);
	return fault == NULL ? 0
			     : fail_with(error, size, EINVAL,
				   "the list of fields is wrong:", fault);
}

/* Whether KEY may sign for DOMAIN. */
static bool
is_key_for(const struct smtpd_dkim_signer_key *key, const char *domain)
{
	size_t len = strlen(domain);
	size_t key_len = strlen(key->domain);

	if (len == key_len)
		return strcmp(domain, key->domain) == 0;
	return key->subdomains && len > key_len &&
	    domain[len - key_len - 1] == '.' &&
	    strcmp(domain + len - key_len, key->domain) == 0;
}

size_t
smtpd__dkim_signer_find(const struct smtpd_dkim *d, const char *domain,
    const struct smtpd_dkim_signer_key **keys)
{
	char name[DOMAIN_SIZE];
	size_t count = 0, longest = 0;

	if (smtpd_address_domain_key(domain, name, sizeof(name)) == -1)
		return 0;
	for (size_t i = 0; i < d->count; i++) {
		const struct smtpd_dkim_signer_key *key = &d->keys[i];
		size_t len = strlen(key->domain);

		if (!is_key_for(key, name) || len < longest)
			continue;
		if (len > longest)
			count = 0;
		longest = len;
		if (count < SMTPD_DKIM_KEYS_MAX)
			keys[count++] = key;
	}
	return count;
}

int
smtpd__dkim_signer_sign(const struct smtpd_dkim_signer_key *key,
    const unsigned char *hash, unsigned char *signature)
{
	if (key->rsa != NULL)
		return smtpd__rsa_key_sign(key->rsa, hash, signature);
	return key->sign(hash, signature, key->user) == 0 ? 0 : -1;
}
