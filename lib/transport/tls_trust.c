/* SPDX-License-Identifier: MIT */
#include "transport/tls_trust.h"

#include <mbedtls/version.h>

#include <mbedtls/error.h>
#include <mbedtls/x509_crt.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/sizes.h"
#include "crypto/rng.h"
#include "transport/tls_compat.h"

/* Configurations: that of most connections, and the one for signatures of old.
 */
#define CONFIGS 2

struct smtpd_trust {
	atomic_uint refs;
	struct smtpd_tls_sessions sessions;

	/* Shared by all connections, which only read it, but for the first. */
	struct smtpd_rng random;
	mbedtls_ssl_config confs[CONFIGS];
	mbedtls_x509_crt ca;
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
set_up_config(struct smtpd_trust *t, mbedtls_ssl_config *conf, bool legacy)
{
	if (mbedtls_ssl_config_defaults(conf, MBEDTLS_SSL_IS_CLIENT,
		MBEDTLS_SSL_TRANSPORT_STREAM, MBEDTLS_SSL_PRESET_DEFAULT) != 0)
		return -1;
	mbedtls_ssl_conf_rng(conf, mbedtls_ctr_drbg_random, &t->random.drbg);
	mbedtls_ssl_conf_ciphersuites(conf, suites);
	smtpd_tls_set_groups(conf);
	smtpd_tls_forbid_old_versions(conf);
	smtpd_tls_want_tickets(conf);
	smtpd_tls_set_signatures(conf, legacy);
	/* A bad certificate is judged after the handshake. */
	mbedtls_ssl_conf_authmode(conf, MBEDTLS_SSL_VERIFY_OPTIONAL);
	mbedtls_ssl_conf_ca_chain(conf, &t->ca, NULL);
	return 0;
}

struct smtpd_trust *
smtpd__tls_trust_create_empty(void)
{
	struct smtpd_trust *t;
	int error;

	if (!smtpd_tls_supported() || smtpd_tls_init_crypto() != 0)
		return NULL;
	t = calloc(1, sizeof(*t));
	if (t == NULL)
		return NULL;
	atomic_init(&t->refs, 1);
	smtpd__tls_sessions_init(&t->sessions);
	mbedtls_x509_crt_init(&t->ca);
	error = smtpd__rng_init(&t->random);
	for (int i = 0; i < CONFIGS; i++) {
		mbedtls_ssl_config_init(&t->confs[i]);
		if (error == 0)
			error = set_up_config(t, &t->confs[i], i > 0);
	}
	if (error == 0)
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
	struct smtpd_trust *t = smtpd__tls_trust_create_empty();
	char reason[SMTPD_ERROR_TEXT_SIZE];
	int code;

	if (t == NULL) {
		snprintf(error, size, "%s",
		    smtpd_tls_supported() ? "out of memory"
					  : "mbedTLS is without threads");
		return NULL;
	}
	snprintf(error, size, "%s",
	    file != NULL ? ""
			 : "the system has no bundle of certificates that can "
			   "be read");
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
	smtpd__tls_sessions_finish(&t->sessions);
	for (int i = 0; i < CONFIGS; i++)
		mbedtls_ssl_config_free(&t->confs[i]);
	mbedtls_x509_crt_free(&t->ca);
	smtpd__rng_free(&t->random);
	free(t);
}

const mbedtls_ssl_config *
smtpd__tls_trust_conf(const struct smtpd_trust *t, bool legacy_signatures)
{
	return &t->confs[legacy_signatures];
}

struct smtpd_tls_sessions *
smtpd__tls_trust_sessions(struct smtpd_trust *t)
{
	return &t->sessions;
}
