/* SPDX-License-Identifier: MIT */
#include "dkim/key_record.h"

#include <errno.h>
#include <string.h>

#include "base/base64.h"
#include "base/text.h"

/* Room for the base64 of a public key. */
#define PUBLIC_SIZE (SMTPD_BASE64_LEN(SMTPD_RSA_KEY_DER_MAX) + 1)

int
smtpd_dkim_make_key(unsigned bits, char pem[SMTPD_DKIM_PEM_SIZE])
{
	if (bits < 1024 || bits > SMTPD_RSA_KEY_BITS_MAX || bits % 8 != 0) {
		errno = EINVAL;
		return -1;
	}
	return smtpd__rsa_key_make(bits, pem);
}

/* Write the base64 of the public key of KEY to OUT.  Return 0, or -1. */
static int
write_public(const struct smtpd_dkim_signer_key *key, struct smtpd_text *out)
{
	unsigned char der[SMTPD_RSA_KEY_DER_MAX];
	ssize_t len = smtpd__rsa_key_public(key->rsa, der);

	if (len == -1)
		return -1;
	smtpd__base64_encode(out, der, (size_t)len);
	return out->cut ? -1 : 0;
}

int
smtpd_dkim_record(const struct smtpd_dkim *d, size_t i,
    char name[SMTPD_DKIM_NAME_SIZE], char record[SMTPD_DKIM_RECORD_SIZE])
{
	const struct smtpd_dkim_signer_key *key;
	struct smtpd_text text;

	if (i >= d->count) {
		errno = ERANGE;
		return -1;
	}
	key = &d->keys[i];
	smtpd__text_init(&text, name, SMTPD_DKIM_NAME_SIZE);
	smtpd__text_format(
	    &text, "%s._domainkey.%s", key->selector, key->domain);
	if (key->rsa == NULL) {
		errno = ENOENT;
		return -1;
	}
	smtpd__text_init(&text, record, SMTPD_DKIM_RECORD_SIZE);
	smtpd__text_add(&text, "v=DKIM1; k=rsa; p=");
	errno = ENOMEM;
	return write_public(key, &text);
}

/* A tag of a record: its name and its value without white space around. */
struct tag {
	const char *name, *value;
	size_t name_len, value_len;
};

static void
trim_white(const char **s, size_t *len)
{
	while (*len > 0 && strchr(" \t\r\n", (*s)[*len - 1]) != NULL)
		*len -= 1;
	while (*len > 0 && strchr(" \t\r\n", **s) != NULL) {
		*s += 1;
		*len -= 1;
	}
}

/* Read the next tag at *AT (RFC 6376, 3.2), and move past it.  Return false
 * when there is none; its name is empty when it is no tag. */
static bool
next_tag(const char **at, struct tag *t)
{
	size_t len = strcspn(*at, ";");
	const char *text = *at;
	const char *equals = memchr(text, '=', len);

	if (*text == '\0')
		return false;
	*at += len + (text[len] == ';');
	t->name = text;
	t->name_len = equals != NULL ? (size_t)(equals - text) : 0;
	t->value = equals != NULL ? equals + 1 : text;
	t->value_len = equals != NULL ? len - t->name_len - 1 : 0;
	trim_white(&t->name, &t->name_len);
	trim_white(&t->value, &t->value_len);
	return true;
}

static bool
is_text(const char *s, size_t len, const char *text)
{
	return len == strlen(text) && memcmp(s, text, len) == 0;
}

/* Whether TEXT is one of the values in the tag, which colons divide. */
static bool
lists_value(const struct tag *t, const char *text)
{
	const char *at = t->value;
	size_t left = t->value_len;

	for (;;) {
		const char *colon = memchr(at, ':', left);
		size_t len = colon != NULL ? (size_t)(colon - at) : left;
		const char *entry = at;
		size_t entry_len = len;

		trim_white(&entry, &entry_len);
		if (is_text(entry, entry_len, text))
			return true;
		if (colon == NULL)
			return false;
		at += len + 1;
		left -= len + 1;
	}
}

/* Whether the value of the tag is that public key, but for white space. */
static bool
is_key(const struct tag *t, const struct smtpd_dkim_signer_key *key)
{
	char own[PUBLIC_SIZE];
	struct smtpd_text text;
	size_t n = 0;

	if (key->rsa == NULL)
		return true;
	smtpd__text_init(&text, own, sizeof(own));
	if (write_public(key, &text) == -1)
		return false;
	for (size_t i = 0; i < t->value_len; i++) {
		if (memchr(" \t\r\n", t->value[i], 4) != NULL)
			continue;
		if (n == text.len || own[n++] != t->value[i])
			return false;
	}
	return n == text.len;
}

const char *
smtpd__key_record_compare(
    const char *text, const struct smtpd_dkim_signer_key *key)
{
	bool ed25519 = key->algorithm == SMTPD_DKIM_ED25519_SHA256;
	const char *type = "rsa";
	struct tag t, public_key = { .name = NULL };

	for (bool first = true; next_tag(&text, &t); first = false) {
		if (is_text(t.name, t.name_len, "v") &&
		    (!first || !is_text(t.value, t.value_len, "DKIM1")))
			return "is no DKIM key record of version 1";
		if (is_text(t.name, t.name_len, "k"))
			type = is_text(t.value, t.value_len, "rsa") ? "rsa"
			    : is_text(t.value, t.value_len, "ed25519")
			    ? "ed25519"
			    : "";
		if (is_text(t.name, t.name_len, "h") &&
		    !lists_value(&t, "sha256"))
			return "does not allow sha256";
		if (is_text(t.name, t.name_len, "s") && !lists_value(&t, "*") &&
		    !lists_value(&t, "email"))
			return "is not for mail";
		if (is_text(t.name, t.name_len, "p"))
			public_key = t;
	}
	if (public_key.name == NULL)
		return "has no public key";
	if (public_key.value_len == 0)
		return "says that the key was revoked";
	if (strcmp(type, ed25519 ? "ed25519" : "rsa") != 0 ||
	    !is_key(&public_key, key))
		return "has another public key";
	return NULL;
}
