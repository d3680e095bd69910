/* SPDX-License-Identifier: MIT */
#include "half.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TICKET_LIFETIME_S 7200

#if MBEDTLS_VERSION_NUMBER >= 0x03000000
#include <psa/crypto.h>

static const uint16_t groups[] = {
	MBEDTLS_SSL_IANA_TLS_GROUP_SECP256R1,
	MBEDTLS_SSL_IANA_TLS_GROUP_X25519,
	MBEDTLS_SSL_IANA_TLS_GROUP_NONE,
};

static int
prepare(struct side *s)
{
	mbedtls_ssl_conf_groups(&s->conf, groups);
	return psa_crypto_init() == PSA_SUCCESS ? 0 : -1;
}

static int
load_key(struct side *s, const char *file)
{
	return mbedtls_pk_parse_keyfile(
	    &s->key, file, NULL, mbedtls_ctr_drbg_random, &s->drbg);
}
#else
static const mbedtls_ecp_group_id groups[] = {
	MBEDTLS_ECP_DP_SECP256R1,
	MBEDTLS_ECP_DP_CURVE25519,
	MBEDTLS_ECP_DP_NONE,
};

static int
prepare(struct side *s)
{
	mbedtls_ssl_conf_curves(&s->conf, groups);
	return 0;
}

static int
load_key(struct side *s, const char *file)
{
	return mbedtls_pk_parse_keyfile(&s->key, file, NULL);
}
#endif

void
die(const char *what)
{
	fprintf(stderr, "handshake: %s\n", what);
	exit(1);
}

static void
side_init(struct side *s, int endpoint)
{
	memset(s, 0, sizeof(*s));
	mbedtls_entropy_init(&s->entropy);
	mbedtls_ctr_drbg_init(&s->drbg);
	mbedtls_ssl_config_init(&s->conf);
	mbedtls_ssl_ticket_init(&s->tickets);
	mbedtls_x509_crt_init(&s->cert);
	mbedtls_pk_init(&s->key);
	if (mbedtls_ctr_drbg_seed(
		&s->drbg, mbedtls_entropy_func, &s->entropy, NULL, 0) != 0 ||
	    mbedtls_ssl_config_defaults(&s->conf, endpoint,
		MBEDTLS_SSL_TRANSPORT_STREAM,
		MBEDTLS_SSL_PRESET_DEFAULT) != 0 ||
	    prepare(s) != 0)
		die("no TLS");
	mbedtls_ssl_conf_rng(&s->conf, mbedtls_ctr_drbg_random, &s->drbg);
}

void
side_init_server(struct side *s, const char *cert, const char *key)
{
	side_init(s, MBEDTLS_SSL_IS_SERVER);
	if (mbedtls_x509_crt_parse_file(&s->cert, cert) != 0 ||
	    load_key(s, key) != 0 ||
	    mbedtls_ssl_conf_own_cert(&s->conf, &s->cert, &s->key) != 0)
		die("no certificate");
	if (mbedtls_ssl_ticket_setup(&s->tickets, mbedtls_ctr_drbg_random,
		&s->drbg, MBEDTLS_CIPHER_AES_256_GCM, TICKET_LIFETIME_S) != 0)
		die("no tickets");
	mbedtls_ssl_conf_session_tickets_cb(&s->conf, mbedtls_ssl_ticket_write,
	    mbedtls_ssl_ticket_parse, &s->tickets);
}

void
side_init_client(struct side *s)
{
	side_init(s, MBEDTLS_SSL_IS_CLIENT);
	mbedtls_ssl_conf_authmode(&s->conf, MBEDTLS_SSL_VERIFY_NONE);
#if MBEDTLS_VERSION_NUMBER >= 0x03060100 && defined(MBEDTLS_SSL_PROTO_TLS1_3)
	/* Without this, tickets of TLS 1.3 are thrown away. */
	mbedtls_ssl_conf_tls13_enable_signal_new_session_tickets(
	    &s->conf, MBEDTLS_SSL_TLS1_3_SIGNAL_NEW_SESSION_TICKETS_ENABLED);
#endif
}

bool
is_no_data(int result)
{
#ifdef MBEDTLS_ERR_SSL_RECEIVED_NEW_SESSION_TICKET
	if (result == MBEDTLS_ERR_SSL_RECEIVED_NEW_SESSION_TICKET)
		return true;
#endif
	return result == MBEDTLS_ERR_SSL_WANT_READ;
}

void
side_finish(struct side *s)
{
	mbedtls_pk_free(&s->key);
	mbedtls_x509_crt_free(&s->cert);
	mbedtls_ssl_ticket_free(&s->tickets);
	mbedtls_ssl_config_free(&s->conf);
	mbedtls_ctr_drbg_free(&s->drbg);
	mbedtls_entropy_free(&s->entropy);
}
