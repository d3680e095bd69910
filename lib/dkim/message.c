/* SPDX-License-Identifier: MIT */
#include "dkim/message.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/sizes.h"
#include "base/text.h"
#include "crypto/digest.h"
#include "dkim/header.h"
#include "dkim/signature.h"
#include "dkim/signer.h"
#include "grammar/dkim_canon.h"
#include "grammar/dot_encode.h"
#include "grammar/mailbox_list.h"
#include "os/clock.h"

#define BLOCK_SIZE 4096

struct smtpd_dkim_message {
	struct smtpd_dkim *signer;
	char domain[SMTPD_HOSTNAME_SIZE]; /* of addresses without one */
	char shown[SMTPD_HOSTNAME_SIZE];  /* the first domain of From */
	struct smtpd_dot_encoder ends;    /* makes all line ends CRLF */
	struct smtpd_fields fields;
	struct smtpd_dkim_header header;
	struct smtpd_dkim_body body;
	struct smtpd_digest *digest; /* of the body */
	bool header_over;
	size_t count; /* of the signatures; 0: it is not signed */
	struct smtpd_dkim_signature signatures[SMTPD_DKIM_KEYS_MAX];
	struct smtpd_pack text; /* all of them */
	char reason[SMTPD_HOSTNAME_SIZE + 64];
};

struct smtpd_dkim_message *
smtpd_dkim_begin(struct smtpd_dkim *d, const char *domain)
{
	struct smtpd_dkim_message *m = calloc(1, sizeof(*m));
	struct smtpd_text text;

	if (m == NULL)
		return NULL;
	m->digest = smtpd__digest_begin();
	if (m->digest == NULL) {
		free(m);
		errno = ENOMEM;
		return NULL;
	}
	atomic_store(&d->frozen, true);
	m->signer = smtpd_dkim_ref(d);
	smtpd__text_init(&text, m->domain, sizeof(m->domain));
	smtpd__text_add(&text, domain != NULL ? domain : "");
	m->ends.no_dots = true;
	smtpd__fields_init(&m->fields);
	smtpd__dkim_header_init(&m->header, &d->fields);
	smtpd__dkim_canon_body_init(&m->body, smtpd__digest_add, m->digest);
	return m;
}

static void
set_reason(struct smtpd_dkim_message *m, const char *before, const char *about)
{
	struct smtpd_text text;

	smtpd__text_init(&text, m->reason, sizeof(m->reason));
	smtpd__text_add(&text, before);
	smtpd__text_filtered(&text, about, strlen(about));
}

/* Find the keys of the first address in the LEN bytes at FROM that has one;
 * return their number. */
static size_t
find_keys_of(struct smtpd_dkim_message *m, const char *from, size_t len,
    const struct smtpd_dkim_signer_key **keys)
{
	char domain[SMTPD_HOSTNAME_SIZE];
	size_t count = 0;

	while (count == 0 &&
	    smtpd__mailbox_list_next(&from, &len, domain, sizeof(domain))) {
		const char *name = domain[0] != '\0' ? domain : m->domain;

		if (m->shown[0] == '\0')
			memcpy(m->shown, name, strlen(name) + 1);
		count = smtpd__dkim_signer_find(m->signer, name, keys);
	}
	return count;
}

/* Find the keys for the message, or the reason why there are none. */
static size_t
find_keys(
    struct smtpd_dkim_message *m, const struct smtpd_dkim_signer_key **keys)
{
	const char *from;
	size_t count = 0, len;

	if (m->header.fault != NULL) {
		set_reason(m, m->header.fault, "");
		return 0;
	}
	for (size_t i = 0; count == 0 &&
	    (from = smtpd__dkim_header_from(&m->header, i, &len)) != NULL;
	    i++)
		count = find_keys_of(m, from, len, keys);
	if (count == 0 && m->shown[0] != '\0')
		set_reason(m, "there is no key for ", m->shown);
	else if (count == 0)
		set_reason(m, "no address in From has a domain", "");
	return count;
}

bool
smtpd__dkim_message_has_header(const struct smtpd_dkim_message *m)
{
	return m->header_over;
}

/* The header is over: who signs it? */
static int
choose_keys(struct smtpd_dkim_message *m)
{
	const struct smtpd_dkim_signer_key *keys[SMTPD_DKIM_KEYS_MAX];
	uint64_t now_s = smtpd__clock_wall_ms() / 1000;
	size_t count = find_keys(m, keys);

	m->header_over = true;
	for (size_t i = 0; i < count; i++) {
		m->count++;
		if (smtpd__dkim_signature_begin(
			&m->signatures[i], keys[i], &m->header, now_s) == -1)
			return -1;
	}
	return 0;
}

static int
add_piece(struct smtpd_dkim_message *m, const struct smtpd_piece *p)
{
	if (p->part != SMTPD_FIELDS_BODY &&
	    smtpd__dkim_header_add(&m->header, p) == -1)
		return -1;
	if (p->part == SMTPD_FIELDS_END)
		return choose_keys(m);
	if (p->part != SMTPD_FIELDS_BODY || m->count == 0)
		return 0;
	return smtpd__dkim_canon_body_feed(&m->body, p->data, p->len);
}

/* Take LEN bytes that have CRLF at all ends of lines. */
static int
feed_lines(struct smtpd_dkim_message *m, const char *data, size_t len)
{
	struct smtpd_piece p;

	while (smtpd__fields_next(&m->fields, &data, &len, &p) !=
	    SMTPD_FIELDS_NONE)
		if (add_piece(m, &p) == -1) {
			errno = ENOMEM;
			return -1;
		}
	return 0;
}

int
smtpd_dkim_write(struct smtpd_dkim_message *m, const void *data, size_t len)
{
	char block[BLOCK_SIZE];
	const char *at = data;

	while (len > 0 && (!m->header_over || m->count > 0)) {
		size_t n = smtpd__dot_encode(
		    &m->ends, &at, &len, block, sizeof(block));

		if (feed_lines(m, block, n) == -1)
			return -1;
	}
	return 0;
}

int
smtpd__dkim_message_end_header(struct smtpd_dkim_message *m)
{
	const struct smtpd_piece end = { .part = SMTPD_FIELDS_END };
	char block[SMTPD_DOT_END_MAX];
	size_t n = smtpd__dot_encode_end(&m->ends, block);

	if (feed_lines(m, block, n) == -1)
		return -1;
	smtpd__fields_close(&m->fields);
	if (feed_lines(m, "", 0) == -1)
		return -1;
	if (m->header_over)
		return 0;
	errno = ENOMEM;
	return add_piece(m, &end);
}

size_t
smtpd__dkim_message_room(const struct smtpd_dkim_message *m)
{
	size_t room = 0;

	for (size_t i = 0; i < m->count; i++)
		room += m->signatures[i].text.len;
	return room;
}

/* Sign a body whose digest is HASH.  Return 0, or -1 with errno. */
static int
sign_all(struct smtpd_dkim_message *m, const unsigned char *hash)
{
	for (size_t i = 0; i < m->count; i++) {
		struct smtpd_dkim_signature *s = &m->signatures[i];

		if (smtpd__dkim_signature_end(s, &m->header, hash) == -1) {
			set_reason(m,
			    "the key of this domain failed: ", s->key->domain);
			errno = EIO;
			return -1;
		}
		smtpd__pack_bytes(&m->text, s->text.data, s->text.len);
	}
	smtpd__pack_u8(&m->text, '\0');
	errno = ENOMEM;
	return m->text.failed ? -1 : 0;
}

const char *
smtpd_dkim_end(struct smtpd_dkim_message *m)
{
	unsigned char hash[SMTPD_SHA256_SIZE];
	int status = smtpd__dkim_message_end_header(m);

	if (status == -1)
		return NULL;
	if (m->count == 0)
		return "";
	status = smtpd__dkim_canon_body_end(&m->body);
	if (smtpd__digest_end(m->digest, hash) == -1)
		status = -1;
	m->digest = NULL;
	errno = ENOMEM;
	if (status == -1 || sign_all(m, hash) == -1)
		return NULL;
	return (const char *)m->text.data;
}

const char *
smtpd_dkim_reason(const struct smtpd_dkim_message *m)
{
	return m->reason;
}

void
smtpd_dkim_free(struct smtpd_dkim_message *m)
{
	int error = errno;

	if (m == NULL)
		return;
	for (size_t i = 0; i < m->count; i++)
		smtpd__dkim_signature_finish(&m->signatures[i]);
	smtpd__dkim_header_finish(&m->header);
	smtpd__digest_end(m->digest, NULL);
	smtpd__pack_free(&m->text);
	smtpd_dkim_unref(m->signer);
	free(m);
	errno = error;
}
