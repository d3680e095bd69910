/* SPDX-License-Identifier: MIT */
/* A library without TLS: nobody can be believed, so little else is called. */
#include <stdio.h>

#include "crypto/digest.h"
#include "transport/tls_client.h"

struct smtpd_trust *
smtpd_trust_create(const char *ca_file, char *error, size_t size)
{
	(void)ca_file;
	snprintf(error, size, "built without TLS");
	return NULL;
}

struct smtpd_trust *
smtpd__tls_client_empty_trust(void)
{
	return NULL;
}

struct smtpd_trust *
smtpd_trust_ref(struct smtpd_trust *t)
{
	return t;
}

void
smtpd_trust_unref(struct smtpd_trust *t)
{
	(void)t;
}

struct smtpd_tls_conn *
smtpd__tls_client_create(struct smtpd_trust *t, struct smtpd_wire *w,
    const char *host, const char *key)
{
	(void)t, (void)w, (void)host, (void)key;
	return NULL;
}

enum smtpd_io_status
smtpd__tls_client_handshake(
    struct smtpd_tls_conn *conn, uint64_t deadline, char *reason, size_t size)
{
	(void)conn, (void)deadline, (void)reason, (void)size;
	return SMTPD_IO_TLS;
}

const struct smtpd_client_tls_info *
smtpd__tls_client_info(const struct smtpd_tls_conn *conn)
{
	(void)conn;
	return NULL;
}

void
smtpd__tls_client_keep(struct smtpd_tls_conn *conn)
{
	(void)conn;
}

int
smtpd__digest_sha256(const void *data, size_t len, unsigned char *out)
{
	(void)data, (void)len, (void)out;
	return -1;
}

int
smtpd__digest_hmac_sha256(const void *key, size_t key_len, const void *data,
    size_t len, unsigned char *out)
{
	(void)key, (void)key_len, (void)data, (void)len, (void)out;
	return -1;
}

int
smtpd__digest_pbkdf2_sha256(const void *password, size_t len, const void *salt,
    size_t salt_len, uint32_t rounds, unsigned char *out)
{
	(void)password, (void)len, (void)salt, (void)salt_len, (void)rounds,
	    (void)out;
	return -1;
}
