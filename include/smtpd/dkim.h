/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_DKIM_H
#define SMTPD_DKIM_H

/*
 * Signing messages with DKIM (RFC 6376; RFC 8301; RFC 8463): a signer holds
 * keys, each of a domain, and signs what bears that domain in From.  A queue
 * that has a signer signs all mail when it is queued (smtpd/queue.h); a program
 * without a queue signs by itself:
 *
 *	struct smtpd_dkim_message *m = smtpd_dkim_begin(signer, NULL);
 *	const char *fields = NULL;
 *
 *	if (m != NULL && smtpd_dkim_write(m, text, strlen(text)) == 0)
 *		fields = smtpd_dkim_end(m);
 *	if (fields != NULL)
 *		printf("%s%s", fields, text);
 *	smtpd_dkim_free(m);
 *
 * Both canonicalizations are relaxed; the whole body is signed, read once and
 * not kept.  Keys in files are RSA, by mbedTLS, which needs 2 to 3 ms for a
 * signature of 2048 bits; another library, process or device, and Ed25519, come
 * by a callback.
 *
 * A signer is made by one thread.  Once it is in use it is not changed any
 * more, and any number of threads share it.  A function that fails may write a
 * sentence to ERROR, cut to SIZE bytes with its NUL; 0: nowhere.
 */

#include <smtpd/resolve.h>
#include <smtpd/version.h>

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Keys, and the fields that are signed: opaque, counted by references. */
struct smtpd_dkim;

/* A message that is signed: opaque, used by one thread. */
struct smtpd_dkim_message;

/* The fields that are signed by default. */
#define SMTPD_DKIM_FIELDS                                                 \
	"From:Sender:Reply-To:To:Cc:Subject:Date:Message-ID:In-Reply-To:" \
	"References:MIME-Version:Content-Type:Content-Transfer-Encoding:" \
	"List-Unsubscribe?:List-Unsubscribe-Post?"

enum smtpd_dkim_algorithm {
	SMTPD_DKIM_RSA_SHA256,     /* the default */
	SMTPD_DKIM_ED25519_SHA256, /* RFC 8463, 3; by a callback only */
};

/* Octets of the hash that is signed, and of the largest signature. */
#define SMTPD_DKIM_HASH_SIZE     32
#define SMTPD_DKIM_SIGNATURE_MAX 512

/*
 * Sign HASH, SMTPD_DKIM_HASH_SIZE bytes, and write the signature, as many bytes
 * as the key said, to SIGNATURE.  RSA: HASH is the SHA-256 of what is signed,
 * for PKCS #1 version 1.5.  Ed25519: HASH is the message that is signed.
 * Called by smtpd_dkim_end(), on its thread, and on several at a time; it may
 * wait.  Return 0, or -1: then the message is not signed.
 */
typedef int smtpd_dkim_sign_fn(const unsigned char *hash,
    unsigned char *signature, void *user) SMTPD_NOEXCEPT;

/* A key; zero or NULL means the default beside each. */
struct smtpd_dkim_key {
	size_t size; /* SMTPD_DKIM_KEY_INIT */

	/* d= and s= of the signature: the public key stands in the DNS at
	 * SELECTOR._domainkey.DOMAIN.  Names in A-labels or UTF-8. */
	const char *domain;
	const char *selector;
	bool subdomains; /* sign for domains below DOMAIN as well */

	/* The private key: a file, or PEM_LEN bytes of text; RSA of 1024 to
	 * 4096 bits in PEM (PKCS #1 or #8, no password).  Or else, with SIGN,
	 * it is elsewhere. */
	const char *file;
	const char *pem;
	size_t pem_len;

	smtpd_dkim_sign_fn *sign;
	void *user;
	enum smtpd_dkim_algorithm algorithm;
	size_t signature_size; /* octets: RSA bits / 8, 256 for 2048; Ed25519
	                        * has 64 in any case */
};

#define SMTPD_DKIM_KEY_INIT SMTPD_INIT(smtpd_dkim_key)

/*
 * Make a signer without keys, which signs SMTPD_DKIM_FIELDS.  Return NULL with
 * errno: ENOMEM, or ENOTSUP where the library was built without mbedTLS.  The
 * caller holds one reference.  Since 0.2.
 */
SMTPD_API struct smtpd_dkim *smtpd_dkim_create(void);

/* One more reference to D, which is returned.  Any thread.  Since 0.2. */
SMTPD_API struct smtpd_dkim *smtpd_dkim_ref(struct smtpd_dkim *d);

/* One reference less; the last frees it.  NULL is fine.  Any thread.
 * Since 0.2. */
SMTPD_API void smtpd_dkim_unref(struct smtpd_dkim *d);

/*
 * Add KEY, which is copied; its file is read now.  A message is signed with all
 * keys, up to 4, of the longest domain that is that of its From, or, with
 * subdomains, above it.  Return 0, or -1 with errno and the reason in ERROR:
 * EINVAL (the key, or a name, is not good), EBUSY (D is in use), ENOMEM, or the
 * system's for the file.  Since 0.2.
 */
SMTPD_API int smtpd_dkim_add_key(struct smtpd_dkim *d,
    const struct smtpd_dkim_key *key, char *error, size_t size);

/*
 * Sign the fields of LIST, names divided by colons, in the place of
 * SMTPD_DKIM_FIELDS.  Each is signed as often as it occurs and once more, so
 * that none can be added later; with "?" behind it only as often as it occurs.
 * From is always signed.  Return 0, or -1 with errno and the reason in ERROR:
 * EINVAL (no field name, more than 64 of them, or one that hosts on the way
 * change: Received, Return-Path, Bcc, Resent-Bcc, DKIM-Signature,
 * Authentication-Results), EBUSY, ENOMEM.  Since 0.2.
 */
SMTPD_API int smtpd_dkim_set_fields(
    struct smtpd_dkim *d, const char *list, char *error, size_t size);

/*
 * Begin to sign a message.  An address in From without a domain counts as one
 * of DOMAIN; NULL: it has no key.  Return NULL with errno ENOMEM.  The message
 * holds a reference to D.  Since 0.2.
 */
SMTPD_API struct smtpd_dkim_message *smtpd_dkim_begin(
    struct smtpd_dkim *d, const char *domain);

/* Add LEN bytes of the message, header and body without dots doubled.  CRLF, a
 * bare LF and a bare CR all end a line, as smtpd_client_send() sends them.
 * Return 0, or -1 with errno ENOMEM.  Since 0.2. */
SMTPD_API int smtpd_dkim_write(
    struct smtpd_dkim_message *m, const void *data, size_t len);

/*
 * End the message.  Return the DKIM-Signature fields to put on top of it, each
 * ended by CRLF; "" when it is not to be signed, and smtpd_dkim_reason() says
 * why; or NULL with errno: EIO when a key failed, ENOMEM.  The text belongs to
 * M.  Since 0.2.
 */
SMTPD_API const char *smtpd_dkim_end(struct smtpd_dkim_message *m);

/* Why smtpd_dkim_end() returned "" or NULL: a sentence; "" else.  Since 0.2. */
SMTPD_API const char *smtpd_dkim_reason(const struct smtpd_dkim_message *m);

/* Free M; NULL is fine.  Since 0.2. */
SMTPD_API void smtpd_dkim_free(struct smtpd_dkim_message *m);

/* Room for a private key in PEM, for the text of a key record, and for its name
 * in the DNS, each with its NUL. */
#define SMTPD_DKIM_PEM_SIZE    8192
#define SMTPD_DKIM_RECORD_SIZE 1024
#define SMTPD_DKIM_NAME_SIZE   256

/* Make an RSA key of BITS, 1024 to 4096 in steps of 8, and write it to PEM.  It
 * takes a second or so.  Return 0, or -1 with errno: EINVAL, ENOTSUP, ENOMEM,
 * EIO.  Since 0.2. */
SMTPD_API int smtpd_dkim_make_key(unsigned bits, char pem[SMTPD_DKIM_PEM_SIZE]);

/* How many keys D has.  Since 0.2. */
SMTPD_API size_t smtpd_dkim_count(const struct smtpd_dkim *d);

/*
 * Write to RECORD what the DNS is to have as TXT for key I of D, in the order
 * in which they were added ("v=DKIM1; k=rsa; p=..."), and to NAME, of
 * SMTPD_DKIM_NAME_SIZE bytes, where.  Return 0, or -1 with errno: ERANGE (there
 * are fewer), ENOENT (the key is elsewhere; NAME is set), ENOMEM.  Since 0.2.
 */
SMTPD_API int smtpd_dkim_record(const struct smtpd_dkim *d, size_t i,
    char name[SMTPD_DKIM_NAME_SIZE], char record[SMTPD_DKIM_RECORD_SIZE]);

/*
 * Ask the DNS, by servers, timeout_ms, tries and total_ms of SETTINGS (NULL:
 * all defaults), whether it has that record.  A key elsewhere is only looked
 * for.  Blocks.  Return 0, or -1 with errno and the reason in ERROR: ENOENT
 * (there is no record), EBADMSG (it is another key's, was revoked, or is no
 * such record), EAGAIN (the DNS gave no answer), ERANGE, EINVAL (SETTINGS are
 * wrong), ENOMEM.  Since 0.2.
 */
SMTPD_API int smtpd_dkim_check(const struct smtpd_dkim *d, size_t i,
    const struct smtpd_resolver_settings *settings, char *error, size_t size);

#ifdef __cplusplus
}
#endif

#endif
