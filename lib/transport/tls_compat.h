/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_TRANSPORT_TLS_COMPAT_H
#define SMTPD_TRANSPORT_TLS_COMPAT_H

/* One interface for mbedTLS 2.28 and 3.6, where these differ, for the two ends
 * of TLS. */

#include <mbedtls/version.h>

#include <mbedtls/ctr_drbg.h>
#include <mbedtls/pk.h>
#include <mbedtls/ssl.h>

#include <stdbool.h>

#include <smtpd/tls.h>

#if MBEDTLS_VERSION_NUMBER >= 0x04000000
#error "mbedTLS 4 has another interface: use 2.28 or 3.6"
#endif
#ifndef MBEDTLS_THREADING_C
#error "this mbedTLS was built without MBEDTLS_THREADING_C"
#endif

/* The groups for key exchange: with 2.28 the first is twice as fast as its
 * default, which is the largest. */

#if MBEDTLS_VERSION_NUMBER >= 0x03000000
#include <psa/crypto.h>

#define SMTPD_TLS_SUITES_OF_1_3                  \
	MBEDTLS_TLS1_3_CHACHA20_POLY1305_SHA256, \
	    MBEDTLS_TLS1_3_AES_128_GCM_SHA256,   \
	    MBEDTLS_TLS1_3_AES_256_GCM_SHA384,

static inline void
smtpd_tls_set_groups(mbedtls_ssl_config *conf)
{
	static const uint16_t groups[] = {
		MBEDTLS_SSL_IANA_TLS_GROUP_SECP256R1,
		MBEDTLS_SSL_IANA_TLS_GROUP_X25519,
		MBEDTLS_SSL_IANA_TLS_GROUP_SECP384R1,
		MBEDTLS_SSL_IANA_TLS_GROUP_SECP521R1,
		MBEDTLS_SSL_IANA_TLS_GROUP_NONE,
	};

	mbedtls_ssl_conf_groups(conf, groups);
}

static inline int
smtpd_tls_init_crypto(void)
{
	return psa_crypto_init() == PSA_SUCCESS ? 0 : -1;
}

static inline void
smtpd_tls_forbid_old_versions(mbedtls_ssl_config *conf)
{
	mbedtls_ssl_conf_min_tls_version(conf, MBEDTLS_SSL_VERSION_TLS1_2);
}

/* Return -1 when there is no such version here. */
static inline int
smtpd_tls_set_min_version(
    mbedtls_ssl_config *conf, enum smtpd_tls_version version)
{
	mbedtls_ssl_conf_min_tls_version(conf,
	    version == SMTPD_TLS_1_3 ? MBEDTLS_SSL_VERSION_TLS1_3
				     : MBEDTLS_SSL_VERSION_TLS1_2);
#ifdef MBEDTLS_SSL_PROTO_TLS1_3
	return 0;
#else
	return version == SMTPD_TLS_1_3 ? -1 : 0;
#endif
}

/* The alert that ended the handshake of SSL: the record that came last. */
static inline unsigned
smtpd_tls_get_alert(const mbedtls_ssl_context *ssl)
{
	return ssl->MBEDTLS_PRIVATE(in_msg)[1];
}

static inline int
smtpd_tls_parse_key(mbedtls_pk_context *key, const unsigned char *pem,
    size_t size, mbedtls_ctr_drbg_context *drbg)
{
	return mbedtls_pk_parse_key(
	    key, pem, size, NULL, 0, mbedtls_ctr_drbg_random, drbg);
}

static inline int
smtpd_tls_check_pair(mbedtls_pk_context *pub, mbedtls_pk_context *key,
    mbedtls_ctr_drbg_context *drbg)
{
	return mbedtls_pk_check_pair(pub, key, mbedtls_ctr_drbg_random, drbg);
}

/* Without this a client of 3.6.1 or later ignores the tickets of TLS 1.3. */
static inline void
smtpd_tls_want_tickets(mbedtls_ssl_config *conf)
{
#if MBEDTLS_VERSION_NUMBER >= 0x03060100 && defined(MBEDTLS_SSL_PROTO_TLS1_3)
	mbedtls_ssl_conf_tls13_enable_signal_new_session_tickets(
	    conf, MBEDTLS_SSL_TLS1_3_SIGNAL_NEW_SESSION_TICKETS_ENABLED);
#else
	(void)conf;
#endif
}

/*
 * A client of 3.6 offers RSA-PSS for TLS 1.3, and refuses a server that takes
 * it up in TLS 1.2.  Most take the first that they know, so that PKCS #1 stands
 * before it.  For those with an order of their own LEGACY leaves it out, and
 * TLS 1.3 with it, which has no other signatures for RSA.
 */
static inline void
smtpd_tls_set_signatures(mbedtls_ssl_config *conf, bool legacy)
{
	static const uint16_t signatures[] = {
		MBEDTLS_TLS1_3_SIG_ECDSA_SECP256R1_SHA256,
		MBEDTLS_TLS1_3_SIG_ECDSA_SECP384R1_SHA384,
		MBEDTLS_TLS1_3_SIG_ECDSA_SECP521R1_SHA512,
		MBEDTLS_TLS1_3_SIG_RSA_PKCS1_SHA256,
		MBEDTLS_TLS1_3_SIG_RSA_PKCS1_SHA384,
		MBEDTLS_TLS1_3_SIG_RSA_PKCS1_SHA512,
		MBEDTLS_TLS1_3_SIG_RSA_PSS_RSAE_SHA256,
		MBEDTLS_TLS1_3_SIG_RSA_PSS_RSAE_SHA384,
		MBEDTLS_TLS1_3_SIG_RSA_PSS_RSAE_SHA512,
		MBEDTLS_TLS1_3_SIG_NONE,
	};
	static const uint16_t legacy_signatures[] = {
		MBEDTLS_TLS1_3_SIG_ECDSA_SECP256R1_SHA256,
		MBEDTLS_TLS1_3_SIG_ECDSA_SECP384R1_SHA384,
		MBEDTLS_TLS1_3_SIG_ECDSA_SECP521R1_SHA512,
		MBEDTLS_TLS1_3_SIG_RSA_PKCS1_SHA256,
		MBEDTLS_TLS1_3_SIG_RSA_PKCS1_SHA384,
		MBEDTLS_TLS1_3_SIG_RSA_PKCS1_SHA512,
		MBEDTLS_TLS1_3_SIG_NONE,
	};

	mbedtls_ssl_conf_sig_algs(
	    conf, legacy ? legacy_signatures : signatures);
	if (legacy)
		mbedtls_ssl_conf_max_tls_version(
		    conf, MBEDTLS_SSL_VERSION_TLS1_2);
}

/* Whether RESULT of a handshake may be that of a server which chose it. */
static inline bool
smtpd_tls_is_pss_refused(int result)
{
	return result == MBEDTLS_ERR_SSL_ILLEGAL_PARAMETER;
}
#else
#define SMTPD_TLS_SUITES_OF_1_3

static inline void
smtpd_tls_set_groups(mbedtls_ssl_config *conf)
{
	static const mbedtls_ecp_group_id groups[] = {
		MBEDTLS_ECP_DP_SECP256R1,
		MBEDTLS_ECP_DP_CURVE25519,
		MBEDTLS_ECP_DP_SECP384R1,
		MBEDTLS_ECP_DP_SECP521R1,
		MBEDTLS_ECP_DP_NONE,
	};

	mbedtls_ssl_conf_curves(conf, groups);
}

static inline int
smtpd_tls_init_crypto(void)
{
	return 0;
}

static inline void
smtpd_tls_forbid_old_versions(mbedtls_ssl_config *conf)
{
	mbedtls_ssl_conf_min_version(
	    conf, MBEDTLS_SSL_MAJOR_VERSION_3, MBEDTLS_SSL_MINOR_VERSION_3);
}

static inline void
smtpd_tls_want_tickets(mbedtls_ssl_config *conf)
{
	(void)conf;
}

/* 2.28 does not offer RSA-PSS. */
static inline void
smtpd_tls_set_signatures(mbedtls_ssl_config *conf, bool legacy)
{
	(void)conf, (void)legacy;
}

static inline bool
smtpd_tls_is_pss_refused(int result)
{
	(void)result;
	return false;
}

static inline int
smtpd_tls_set_min_version(
    mbedtls_ssl_config *conf, enum smtpd_tls_version version)
{
	mbedtls_ssl_conf_min_version(
	    conf, MBEDTLS_SSL_MAJOR_VERSION_3, MBEDTLS_SSL_MINOR_VERSION_3);
	return version == SMTPD_TLS_1_3 ? -1 : 0;
}

static inline unsigned
smtpd_tls_get_alert(const mbedtls_ssl_context *ssl)
{
	return ssl->in_msg[1];
}

static inline int
smtpd_tls_parse_key(mbedtls_pk_context *key, const unsigned char *pem,
    size_t size, mbedtls_ctr_drbg_context *drbg)
{
	(void)drbg;
	return mbedtls_pk_parse_key(key, pem, size, NULL, 0);
}

static inline int
smtpd_tls_check_pair(mbedtls_pk_context *pub, mbedtls_pk_context *key,
    mbedtls_ctr_drbg_context *drbg)
{
	(void)drbg;
	return mbedtls_pk_check_pair(pub, key);
}
#endif

#if MBEDTLS_VERSION_NUMBER >= 0x03000000
#define SMTPD_TLS_FIELD(ssl, name) ((ssl)->MBEDTLS_PRIVATE(name))
#else
#define SMTPD_TLS_FIELD(ssl, name) ((ssl)->name)
#endif

/* mbedTLS keeps two buffers of this size for records; where they may be
 * smaller they are left alone. */
#ifdef MBEDTLS_SSL_VARIABLE_BUFFER_LENGTH
#define SMTPD_TLS_IN_SIZE  0
#define SMTPD_TLS_OUT_SIZE 0
#else
#define SMTPD_TLS_IN_SIZE  MBEDTLS_SSL_IN_CONTENT_LEN
#define SMTPD_TLS_OUT_SIZE MBEDTLS_SSL_OUT_CONTENT_LEN
#endif

/* How much of a record the buffers of a context hold at most; in TLS 1.3 its
 * last octets are a type and padding. */
#if MBEDTLS_VERSION_NUMBER >= 0x03000000
#define SMTPD_TLS_IN_MAX  mbedtls_ssl_get_max_in_record_payload
#define SMTPD_TLS_OUT_MAX mbedtls_ssl_get_max_out_record_payload
#define SMTPD_TLS_PADDING 16
#else
#define SMTPD_TLS_IN_MAX  mbedtls_ssl_get_input_max_frag_len
#define SMTPD_TLS_OUT_MAX mbedtls_ssl_get_output_max_frag_len
#define SMTPD_TLS_PADDING 0
#endif

/* Whether the library that is loaded has FEATURE as these headers do. */
#define SMTPD_TLS_SAME_FEATURE(feature, here) \
	((mbedtls_version_check_feature(feature) == 0) == (here))

/*
 * Whether the buffers of SSL are where the headers have them, and as large: the
 * library that is loaded may be another version, or have another configuration,
 * than that which this was compiled for.
 */
static inline bool
smtpd_tls_has_buffers_of_header(const mbedtls_ssl_context *ssl)
{
#ifdef MBEDTLS_SSL_RENEGOTIATION
	const bool renegotiation = true;
#else
	const bool renegotiation = false;
#endif
#ifdef MBEDTLS_SSL_PROTO_DTLS
	const bool dtls = true;
#else
	const bool dtls = false;
#endif
#ifdef MBEDTLS_SSL_VARIABLE_BUFFER_LENGTH
	const bool variable = true;
#else
	const bool variable = false;
#endif
	return mbedtls_version_get_number() == MBEDTLS_VERSION_NUMBER &&
	    SMTPD_TLS_SAME_FEATURE(
		"MBEDTLS_SSL_RENEGOTIATION", renegotiation) &&
	    SMTPD_TLS_SAME_FEATURE("MBEDTLS_SSL_PROTO_DTLS", dtls) &&
	    SMTPD_TLS_SAME_FEATURE(
		"MBEDTLS_SSL_VARIABLE_BUFFER_LENGTH", variable) &&
	    SMTPD_TLS_IN_MAX(ssl) >= MBEDTLS_SSL_IN_CONTENT_LEN &&
	    SMTPD_TLS_OUT_MAX(ssl) + SMTPD_TLS_PADDING >=
	    MBEDTLS_SSL_OUT_CONTENT_LEN;
}

#endif
