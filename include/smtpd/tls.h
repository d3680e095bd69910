/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_TLS_H
#define SMTPD_TLS_H

/*
 * TLS for a server (RFC 3207, RFC 8314): a context holds certificates, keys
 * and rules; a server or a listener is given one, and later another.  No
 * version before 1.2 is spoken.
 *
 * A context is made by one thread.  Once a server has it, it is not changed
 * any more, and any number of servers and sessions share it.
 */

#include <smtpd/version.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Certificates, keys and rules: opaque, counted by references. */
struct smtpd_tls;

/* The lowest version of the protocol. */
enum smtpd_tls_version {
	SMTPD_TLS_1_2, /* the default */
	SMTPD_TLS_1_3,
};

/* How certificates of clients are treated. */
enum smtpd_tls_clients {
	SMTPD_TLS_CLIENTS_IGNORED,  /* none is asked for: the default */
	SMTPD_TLS_CLIENTS_ASKED,    /* taken if there is one, good or bad */
	SMTPD_TLS_CLIENTS_DEMANDED, /* no session without a good one */
};

/* The rules of a context; zero means the default. */
struct smtpd_tls_settings {
	size_t size; /* SMTPD_TLS_SETTINGS_INIT */
	enum smtpd_tls_version min_version;
	enum smtpd_tls_clients clients;
	const char *client_ca_file; /* PEM: authorities for clients */

	/* Tickets, with which clients resume a session cheaply.  There are
	 * none where certificates of clients are wanted: each client has to
	 * show its own again. */
	bool no_tickets;            /* resume no session */
	uint32_t ticket_lifetime_s; /* 7200; at most 604800 */

	/* Take tickets of this context too, and their lifetime with them; it
	 * may be in use.  For a renewed certificate: otherwise each context
	 * takes only its own. */
	struct smtpd_tls *tickets_of;

	/* Accept certificates out of their time too: senders of mail look at
	 * no dates (RFC 7435), and some TLS is better than none.
	 * smtpd_tls_error() says so then, though the call returned 0. */
	bool any_date;

	/* After STARTTLS take ECDHE with AES-CBC and SHA-2 too, behind all
	 * others: on port 25 weak TLS is better than none (RFC 7435), and some
	 * senders have nothing else for an RSA key.  TLS from the first byte
	 * never does.  Since 0.2. */
	bool cbc_suites;
};

#define SMTPD_TLS_SETTINGS_INIT SMTPD_INIT(smtpd_tls_settings)

/* The TLS of a session.  The texts are printable ASCII and last as
 * long as the session. */
struct smtpd_tls_info {
	const char *version;     /* "TLSv1.2", "TLSv1.3" */
	const char *cipher;      /* as IANA names it */
	const char *server_name; /* what the client asked for (SNI); "" */

	/* The client's certificate; all "" and false if it gave none. */
	const char *client_subject;
	const char *client_fingerprint; /* SHA-256, 64 lower-case digits */
	bool client_verified;           /* signed by client_ca_file, in time */
};

/* Whether this library was built with TLS; if not, no context can be made.
 * Any thread.  Since 0.1. */
SMTPD_API bool smtpd_tls_supported(void);

/*
 * Make a context without certificates by SETTINGS (NULL: all defaults), which
 * are not needed afterwards.  Return NULL with errno: ENOMEM, ENOTSUP without
 * TLS, EINVAL when the size of SETTINGS is wrong.  What else is wrong with
 * them is told by smtpd_tls_add_files() and smtpd_tls_add_memory().  The caller
 * holds one reference.  Since 0.1.
 */
SMTPD_API struct smtpd_tls *smtpd_tls_create(
    const struct smtpd_tls_settings *settings);

/* One more reference to TLS, which is returned.  Any thread.  Since 0.1. */
SMTPD_API struct smtpd_tls *smtpd_tls_ref(struct smtpd_tls *tls);

/* One reference less; the last frees it.  NULL is fine.  Any thread.
 * Since 0.1. */
SMTPD_API void smtpd_tls_unref(struct smtpd_tls *tls);

/*
 * Add the certificate chain in CERT_FILE, the server's own first, and its key
 * in KEY_FILE (PEM both, ECDSA or RSA).  The first pair is the default; each is
 * used for clients that ask for a name it bears, and pairs with another kind of
 * key that bear the same name stand beside each other.  A name may begin with
 * "*." for one label.  Return 0, or -1 with errno: a file cannot be read (the
 * errno of the system) or is not whole, the key belongs to another certificate,
 * the certificate has expired or is not valid yet (unless any_date was set), a
 * setting is wrong (EINVAL), or a server has TLS already (EBUSY).
 * smtpd_tls_error() names the file (or the setting, or "memory") and the
 * reason; TLS is as it was before, and may be given another pair.  Since 0.1.
 */
SMTPD_API int smtpd_tls_add_files(
    struct smtpd_tls *tls, const char *cert_file, const char *key_file);

/* As smtpd_tls_add_files(), from CERT_LEN and KEY_LEN bytes of PEM.
 * Since 0.1. */
SMTPD_API int smtpd_tls_add_memory(struct smtpd_tls *tls, const char *cert,
    size_t cert_len, const char *key, size_t key_len);

/* Why the last call on TLS returned -1, or with any_date what is wrong with the
 * pair that it added; else "".  Since 0.1. */
SMTPD_API const char *smtpd_tls_error(const struct smtpd_tls *tls);

/* When the first of its certificates expires, in seconds since 1970; 0: there
 * is none.  Since 0.2. */
SMTPD_API int64_t smtpd_tls_expires_s(const struct smtpd_tls *tls);

#ifdef __cplusplus
}
#endif

#endif
