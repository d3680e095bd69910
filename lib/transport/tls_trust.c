/* SPDX-License-Identifier: MIT */
#include "transport/tls_trust.h"

#include <mbedtls/version.h>

#include <mbedtls/error.h>
#include <mbedtls/x509_crt.h>

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/sizes.h"
#include "crypto/rng.h"
#include "transport/tls_compat.h"
#include "transport/tls_pairs.h"

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
	struct smtpd_tls_pairs own; /* what servers are shown */
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
	/* Whether its time is over, the server judges. */
	t->own = (struct smtpd_tls_pairs){
		.conf = &t->confs[0],
		.drbg = &t->random.drbg,
		.any_date = true,
	};
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

static int
read_source(struct smtpd_tls_source *source, struct smtpd_tls_fault *fault)
{
	int error = smtpd__pem_read(&source->pem, source->file);

	return error == 0 ? 0
			  : smtpd__tls_fault_set(
				fault, source->file, "cannot be read", error);
}

/* Read both files, and have all configurations show what is in them. */
static int
add_files(struct smtpd_trust *t, const char *cert_file, const char *key_file,
    struct smtpd_tls_fault *fault)
{
	struct smtpd_tls_source cert = { .file = cert_file };
	struct smtpd_tls_source key = { .file = key_file };
	int result = -1;

	if (read_source(&cert, fault) == 0 && read_source(&key, fault) == 0)
		result = smtpd__tls_pairs_add(&t->own, &cert, &key, fault);
	for (int i = 1; result == 0 && i < CONFIGS; i++)
		if (smtpd__tls_pairs_show(&t->own, &t->confs[i]) == -1)
			result = smtpd__tls_fault_set(
			    fault, cert_file, "cannot be used", ENOMEM);
	smtpd__pem_free(&cert.pem);
	smtpd__pem_free(&key.pem);
	return result;
}

int
smtpd_trust_add_files(struct smtpd_trust *t, const char *cert_file,
    const char *key_file, char *error, size_t size)
{
	struct smtpd_tls_fault fault = { .text = "" };
	int result;

	if (t == NULL || cert_file == NULL || key_file == NULL) {
		snprintf(error, size, "there is no certificate, or no key");
		errno = EINVAL;
		return -1;
	}
	if (t->own.first != NULL || atomic_load(&t->refs) > 1) {
		snprintf(error, size,
		    "it has a certificate, or is in use: make another one");
		errno = EBUSY;
		return -1;
	}
	result = add_files(t, cert_file, key_file, &fault);
	snprintf(error, size, "%s", fault.text);
	return result;
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
	smtpd__tls_pairs_free(&t->own);
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
