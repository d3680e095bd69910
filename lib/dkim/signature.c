/* SPDX-License-Identifier: MIT */
#include "dkim/signature.h"

#include <stdio.h>
#include <string.h>

#include "base/base64.h"
#include "base/text.h"
#include "crypto/digest.h"

/* Octets of a line at best. */
#define WIDTH 76

/* What stands where base64 will. */
#define PLACEHOLDER 'A'

#define BASE64_MAX SMTPD_BASE64_LEN(SMTPD_DKIM_SIGNATURE_MAX)

/* The text while it is written. */
struct writer {
	struct smtpd_pack *out;
	size_t column;
	bool named; /* h= has a name */
};

static void
break_line(struct writer *w)
{
	smtpd__pack_bytes(w->out, "\r\n\t", 3);
	w->column = 1;
}

/* Append TEXT, in the next line if it does not fit into this one. */
static void
add_token(struct writer *w, const char *text)
{
	size_t len = strlen(text);

	if (w->column + len > WIDTH && w->column > 1)
		break_line(w);
	smtpd__pack_bytes(w->out, text, len);
	w->column += len;
}

/* Append a tag with a space before it, unless it begins a line. */
static void
add_tag(struct writer *w, const char *name, const char *value)
{
	char text[320];

	snprintf(text, sizeof(text), "%s=%s;", name, value);
	if (w->column + 1 + strlen(text) > WIDTH && w->column > 1)
		break_line(w);
	else
		add_token(w, " ");
	add_token(w, text);
}

/* A name in h=, with what divides it from the one before. */
static int
add_name(void *user, const char *text)
{
	char token[SMTPD_DKIM_FIELD_NAME_MAX + 2];
	struct writer *w = user;

	snprintf(token, sizeof(token), ":%s", text);
	add_token(w, w->named ? token : text);
	w->named = true;
	return w->out->failed ? -1 : 0;
}

/* Append placeholders for LEN octets of base64. */
static void
add_room(struct writer *w, size_t len)
{
	for (; len > 0 && !w->out->failed; len--) {
		if (w->column == WIDTH)
			break_line(w);
		smtpd__pack_u8(w->out, PLACEHOLDER);
		w->column++;
	}
}

int
smtpd__dkim_signature_begin(struct smtpd_dkim_signature *s,
    const struct smtpd_dkim_signer_key *key,
    const struct smtpd_dkim_header *header, uint64_t now_s)
{
	struct writer w = { .out = &s->text };
	char number[24];

	*s = (struct smtpd_dkim_signature){ .key = key };
	add_token(&w, "DKIM-Signature:");
	add_tag(&w, "v", "1");
	add_tag(&w, "a",
	    key->algorithm == SMTPD_DKIM_ED25519_SHA256 ? "ed25519-sha256"
							: "rsa-sha256");
	add_tag(&w, "c", "relaxed/relaxed");
	add_tag(&w, "d", key->domain);
	add_tag(&w, "s", key->selector);
	if (now_s != 0) {
		snprintf(
		    number, sizeof(number), "%llu", (unsigned long long)now_s);
		add_tag(&w, "t", number);
	}
	break_line(&w);
	add_token(&w, "h=");
	if (s->text.failed ||
	    smtpd__dkim_header_names(header, add_name, &w) == -1)
		return -1;
	smtpd__pack_u8(&s->text, ';');
	break_line(&w);
	add_token(&w, "bh=");
	s->hash_at = s->text.len;
	add_room(&w, SMTPD_BASE64_LEN(SMTPD_DKIM_HASH_SIZE));
	smtpd__pack_u8(&s->text, ';');
	break_line(&w);
	add_token(&w, "b=");
	s->value_at = s->text.len;
	add_room(&w, SMTPD_BASE64_LEN(key->signature_size));
	smtpd__pack_bytes(&s->text, "\r\n", 2);
	return s->text.failed ? -1 : 0;
}

/* Write the base64 of LEN bytes at DATA over the placeholders from AT on. */
static void
fill_room(struct smtpd_pack *text, size_t at, const void *data, size_t len)
{
	char buf[BASE64_MAX + 1];
	struct smtpd_text encoded;

	smtpd__text_init(&encoded, buf, sizeof(buf));
	smtpd__base64_encode(&encoded, data, len);
	for (size_t i = 0; i < encoded.len; at++)
		if (memchr("\r\n\t", text->data[at], 3) == NULL)
			text->data[at] = (unsigned char)encoded.at[i++];
}

/* The digest of the header and of the field itself without the value of b=
 * (RFC 6376, 3.7). */
static int
hash_header(const struct smtpd_dkim_signature *s,
    const struct smtpd_dkim_header *header, unsigned char *hash)
{
	struct smtpd_digest *digest = smtpd__digest_begin();
	struct smtpd_dkim_field canon;
	int status;

	if (digest == NULL)
		return -1;
	smtpd__dkim_canon_field_init(&canon, smtpd__digest_add, digest);
	status = smtpd__dkim_header_write(header, smtpd__digest_add, digest);
	if (status == 0)
		status = smtpd__dkim_canon_field_feed(
		    &canon, (const char *)s->text.data, s->value_at);
	if (smtpd__digest_end(digest, hash) == -1)
		status = -1;
	return status;
}

int
smtpd__dkim_signature_end(struct smtpd_dkim_signature *s,
    const struct smtpd_dkim_header *header, const unsigned char *body)
{
	unsigned char hash[SMTPD_DKIM_HASH_SIZE];
	unsigned char value[SMTPD_DKIM_SIGNATURE_MAX];

	fill_room(&s->text, s->hash_at, body, SMTPD_DKIM_HASH_SIZE);
	if (hash_header(s, header, hash) == -1 ||
	    smtpd__dkim_signer_sign(s->key, hash, value) == -1)
		return -1;
	fill_room(&s->text, s->value_at, value, s->key->signature_size);
	return 0;
}

void
smtpd__dkim_signature_finish(struct smtpd_dkim_signature *s)
{
	smtpd__pack_free(&s->text);
}
