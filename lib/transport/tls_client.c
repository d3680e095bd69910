/* SPDX-License-Identifier: MIT */
#include "transport/tls_client.h"

#include <mbedtls/version.h>

#include <mbedtls/error.h>
#include <mbedtls/ssl.h>
#include <mbedtls/x509_crt.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "crypto/rng.h"
#include "os/clock.h"
#include "transport/tls_compat.h"
#include "transport/tls_conn_state.h"

/* Sessions that are kept, and for how long. */
#define SESSIONS_MAX 128
#define SESSION_MS   7200000

#define KEY_MAX    320
#define REASON_MAX 256

/* A session to go on with. */
struct kept {
	char key[KEY_MAX]; /* "": none */
	uint64_t at;
	mbedtls_ssl_session session;
	bool verified;
	char reason[REASON_MAX];
};

struct smtpd_trust {
	atomic_uint refs;

	/* Shared by all connections, which only read it, but for the first. */
	struct smtpd_rng random;
	mbedtls_ssl_config conf;
	mbedtls_x509_crt ca;

	pthread_mutex_t lock; /* for what follows */
	struct kept *kept;    /* SESSIONS_MAX of them; NULL: none yet */
};

struct client_conn {
	struct smtpd_tls_conn conn; /* first: destroyed as such */
	struct smtpd_trust *trust;
	struct smtpd_client_tls_info facts;
	bool has_name;
	bool saw_certificate; /* so it is no session that goes on */
	bool was_verified;    /* and of the one that does: */
	char reason[REASON_MAX];
	char key[KEY_MAX];
};

/*
 * Servers of mail are old, and any encryption is better than none: behind what
 * our own server takes stands what some others still need.
 */
static const int suites[] = {
	SMTPD_TLS_SUITES_OF_1_3
	    MBEDTLS_TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
	MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
	MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
	MBEDTLS_TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
	MBEDTLS_TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
	MBEDTLS_TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
	MBEDTLS_TLS_DHE_RSA_WITH_AES_128_GCM_SHA256,
	MBEDTLS_TLS_DHE_RSA_WITH_AES_256_GCM_SHA384,
	MBEDTLS_TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256,
	MBEDTLS_TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384,
	MBEDTLS_TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA,
	MBEDTLS_TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA,
	MBEDTLS_TLS_RSA_WITH_AES_128_GCM_SHA256,
	MBEDTLS_TLS_RSA_WITH_AES_256_GCM_SHA384,
	MBEDTLS_TLS_RSA_WITH_AES_128_CBC_SHA,
	MBEDTLS_TLS_RSA_WITH_AES_256_CBC_SHA,
	0,
};

/* Where systems keep the authorities that they believe. */
static const char *const bundles[] = {
	"/etc/ssl/certs/ca-certificates.crt",
	"/etc/pki/tls/certs/ca-bundle.crt",
	"/etc/ssl/ca-bundle.pem",
	"/etc/ssl/cert.pem",
};

static int
set_up(struct smtpd_trust *t)
{
	if (smtpd__rng_init(&t->random) != 0 ||
	    mbedtls_ssl_config_defaults(&t->conf, MBEDTLS_SSL_IS_CLIENT,
		MBEDTLS_SSL_TRANSPORT_STREAM, MBEDTLS_SSL_PRESET_DEFAULT) != 0)
		return -1;
	mbedtls_ssl_conf_rng(
	    &t->conf, mbedtls_ctr_drbg_random, &t->random.drbg);
	mbedtls_ssl_conf_ciphersuites(&t->conf, suites);
	smtpd_tls_set_groups(&t->conf);
	smtpd_tls_forbid_old_versions(&t->conf);
	smtpd_tls_want_tickets(&t->conf);
	/* What a bad certificate means is decided after the handshake. */
	mbedtls_ssl_conf_authmode(&t->conf, MBEDTLS_SSL_VERIFY_OPTIONAL);
	mbedtls_ssl_conf_ca_chain(&t->conf, &t->ca, NULL);
	return 0;
}

struct smtpd_trust *
smtpd__tls_client_empty_trust(void)
{
	struct smtpd_trust *t;

	if (!smtpd_tls_supported() || smtpd_tls_init_crypto() != 0)
		return NULL;
	t = calloc(1, sizeof(*t));
	if (t == NULL)
		return NULL;
	atomic_init(&t->refs, 1);
	pthread_mutex_init(&t->lock, NULL);
	mbedtls_ssl_config_init(&t->conf);
	mbedtls_x509_crt_init(&t->ca);
	if (set_up(t) == 0)
		return t;
	smtpd_trust_unref(t);
	return NULL;
}

static const char *
find_bundle(void)
{
	for (size_t i = 0; i < sizeof(bundles) / sizeof(bundles[0]); i++)
		if (access(bundles[i], R_OK) == 0)
			return bundles[i];
	return NULL;
}

struct smtpd_trust *
smtpd_trust_create(const char *ca_file, char *error, size_t size)
{
	const char *file = ca_file != NULL ? ca_file : find_bundle();
	struct smtpd_trust *t = smtpd__tls_client_empty_trust();
	char reason[128];
	int code;

	if (t == NULL) {
		snprintf(error, size, "%s",
		    smtpd_tls_supported() ? "out of memory"
					  : "mbedTLS is without threads");
		return NULL;
	}
	if (file == NULL)
		return t;
	code = mbedtls_x509_crt_parse_file(&t->ca, file);
	/* Of a bundle some may be of a kind that is not known, but not all. */
	if (code == 0 || (code > 0 && t->ca.raw.p != NULL))
		return t;
	reason[0] = '\0';
	if (code < 0)
		mbedtls_strerror(code, reason, sizeof(reason));
	snprintf(error, size, "%s: no certificates: %s", file, reason);
	smtpd_trust_unref(t);
	return NULL;
}

struct smtpd_trust *
smtpd_trust_ref(struct smtpd_trust *t)
{
	atomic_fetch_add(&t->refs, 1);
	return t;
}

void
smtpd_trust_unref(struct smtpd_trust *t)
{
	if (t == NULL || atomic_fetch_sub(&t->refs, 1) > 1)
		return;
	for (size_t i = 0; t->kept != NULL && i < SESSIONS_MAX; i++)
		mbedtls_ssl_session_free(&t->kept[i].session);
	free(t->kept);
	mbedtls_ssl_config_free(&t->conf);
	mbedtls_x509_crt_free(&t->ca);
	smtpd__rng_free(&t->random);
	pthread_mutex_destroy(&t->lock);
	free(t);
}

/* The session that is kept under KEY, or NULL.  The lock is held. */
static struct kept *
find_kept(struct smtpd_trust *t, const char *key)
{
	for (size_t i = 0; t->kept != NULL && i < SESSIONS_MAX; i++)
		if (strcmp(t->kept[i].key, key) == 0)
			return &t->kept[i];
	return NULL;
}

/* Where a session under KEY belongs: its old place, a free one, or that of
 * the oldest; NULL without memory.  The lock is held. */
static struct kept *
place_for(struct smtpd_trust *t, const char *key)
{
	struct kept *k = find_kept(t, key);

	if (k != NULL)
		return k;
	if (t->kept == NULL) {
		t->kept = calloc(SESSIONS_MAX, sizeof(*t->kept));
		for (size_t i = 0; t->kept != NULL && i < SESSIONS_MAX; i++)
			mbedtls_ssl_session_init(&t->kept[i].session);
	}
	k = t->kept;
	for (size_t i = 1; k != NULL && i < SESSIONS_MAX; i++)
		if (t->kept[i].at < k->at)
			k = &t->kept[i];
	return k;
}

/* Offer the server to go on with the session that was kept. */
static void
offer_session(struct client_conn *cc)
{
	struct smtpd_trust *t = cc->trust;
	struct kept *k;

	pthread_mutex_lock(&t->lock);
	k = find_kept(t, cc->key);
	if (k != NULL && smtpd__clock_ms() - k->at < SESSION_MS &&
	    mbedtls_ssl_set_session(&cc->conn.ssl, &k->session) == 0) {
		cc->was_verified = k->verified;
		memcpy(cc->reason, k->reason, sizeof(cc->reason));
	}
	pthread_mutex_unlock(&t->lock);
}

/* Called for each certificate, and not at all when a session goes on. */
static int
see_certificate(void *arg, mbedtls_x509_crt *cert, int depth, uint32_t *flags)
{
	struct client_conn *cc = arg;

	(void)cert, (void)depth, (void)flags;
	cc->saw_certificate = true;
	return 0;
}

struct smtpd_tls_conn *
smtpd__tls_client_create(struct smtpd_trust *t, struct smtpd_wire *w,
    const char *host, const char *key)
{
	struct client_conn *cc = calloc(1, sizeof(*cc));

	if (cc == NULL)
		return NULL;
	cc->trust = t;
	cc->has_name = host[0] != '\0';
	snprintf(cc->key, sizeof(cc->key), "%s", key);
	if (smtpd__tls_conn_init(&cc->conn, &t->conf, w) != 0 ||
	    mbedtls_ssl_set_hostname(
		&cc->conn.ssl, cc->has_name ? host : NULL) != 0) {
		smtpd__tls_conn_destroy(&cc->conn);
		return NULL;
	}
	mbedtls_ssl_set_verify(&cc->conn.ssl, see_certificate, cc);
	offer_session(cc);
	return &cc->conn;
}

/* Say in one line what FLAGS, the result of the verification, mean. */
static void
explain_flags(struct client_conn *cc, uint32_t flags)
{
	char lines[512];
	struct smtpd_text t;
	size_t len;

	smtpd__text_init(&t, cc->reason, sizeof(cc->reason));
	if (flags == 0) {
		smtpd__text_add(&t,
		    cc->has_name ? "" : "there is no name that it could bear");
		return;
	}
	if (mbedtls_x509_crt_verify_info(lines, sizeof(lines), "", flags) < 0)
		lines[0] = '\0';
	for (const char *s = lines; *s != '\0'; s += len + (s[len] != '\0')) {
		len = strcspn(s, "\n");
		if (t.len > 0 && len > 0)
			smtpd__text_add(&t, "; ");
		smtpd__text_filtered(&t, s, len);
	}
	if (t.len == 0)
		smtpd__text_add(&t, "the certificate is bad");
}

static void
gather_info(struct client_conn *cc)
{
	uint32_t flags = mbedtls_ssl_get_verify_result(&cc->conn.ssl);

	smtpd__tls_conn_name_cipher(&cc->conn);
	cc->facts.version = mbedtls_ssl_get_version(&cc->conn.ssl);
	cc->facts.cipher = cc->conn.facts.cipher;
	cc->facts.resumed = !cc->saw_certificate;
	cc->facts.verified = cc->was_verified;
	if (cc->saw_certificate) {
		cc->facts.verified = flags == 0 && cc->has_name;
		explain_flags(cc, flags);
	}
	cc->facts.reason = cc->reason;
}

enum smtpd_io_status
smtpd__tls_client_handshake(
    struct smtpd_tls_conn *conn, uint64_t deadline, char *reason, size_t size)
{
	enum smtpd_io_status status;
	int result = smtpd__tls_conn_shake_hands(conn, deadline);

	if (result == 0) {
		gather_info((struct client_conn *)conn);
		return SMTPD_IO_OK;
	}
	status = smtpd__tls_conn_status(conn, result);
	reason[0] = '\0';
	if (status == SMTPD_IO_TLS)
		mbedtls_strerror(result, reason, size);
	return status;
}

const struct smtpd_client_tls_info *
smtpd__tls_client_info(const struct smtpd_tls_conn *conn)
{
	return &((const struct client_conn *)conn)->facts;
}

void
smtpd__tls_client_keep(struct smtpd_tls_conn *conn)
{
	struct client_conn *cc = (struct client_conn *)conn;
	struct smtpd_trust *t = cc->trust;
	struct kept *k;

	pthread_mutex_lock(&t->lock);
	k = place_for(t, cc->key);
	if (k != NULL) {
		mbedtls_ssl_session_free(&k->session);
		mbedtls_ssl_session_init(&k->session);
		k->key[0] = '\0';
		k->at = 0;
		if (mbedtls_ssl_get_session(&conn->ssl, &k->session) == 0) {
			memcpy(k->key, cc->key, sizeof(k->key));
			memcpy(k->reason, cc->reason, sizeof(k->reason));
			k->verified = cc->facts.verified;
			k->at = smtpd__clock_ms();
		}
	}
	pthread_mutex_unlock(&t->lock);
}
