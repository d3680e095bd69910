/* SPDX-License-Identifier: MIT */
/* A library without TLS: no context can be made, so nothing else is called. */
#include <smtpd/policy.h>

#include <errno.h>

#include "transport/tls_conn.h"

bool
smtpd_tls_supported(void)
{
	return false;
}

struct smtpd_tls *
smtpd_tls_create(const struct smtpd_tls_settings *settings)
{
	(void)settings;
	errno = ENOTSUP;
	return NULL;
}

struct smtpd_tls *
smtpd_tls_ref(struct smtpd_tls *tls)
{
	return tls;
}

void
smtpd_tls_unref(struct smtpd_tls *tls)
{
	(void)tls;
}

int
smtpd_tls_add_files(
    struct smtpd_tls *tls, const char *cert_file, const char *key_file)
{
	(void)tls, (void)cert_file, (void)key_file;
	errno = ENOTSUP;
	return -1;
}

int
smtpd_tls_add_memory(struct smtpd_tls *tls, const char *cert, size_t cert_len,
    const char *key, size_t key_len)
{
	(void)tls, (void)cert, (void)cert_len, (void)key, (void)key_len;
	errno = ENOTSUP;
	return -1;
}

const char *
smtpd_tls_error(const struct smtpd_tls *tls)
{
	(void)tls;
	return "built without TLS";
}

int64_t
smtpd_tls_expires_s(const struct smtpd_tls *tls)
{
	(void)tls;
	return 0;
}

bool
smtpd__tls_context_freeze(struct smtpd_tls *tls)
{
	(void)tls;
	return false;
}

struct smtpd_tls_conn *
smtpd__tls_conn_create(
    struct smtpd_tls *context, bool starttls, struct smtpd_wire *w)
{
	(void)context, (void)starttls, (void)w;
	return NULL;
}

enum smtpd_io_status
smtpd__tls_conn_handshake(
    struct smtpd_tls_conn *conn, uint64_t deadline, char *reason, size_t size)
{
	(void)conn, (void)deadline, (void)reason, (void)size;
	return SMTPD_IO_TLS;
}

void
smtpd__tls_conn_cork(struct smtpd_tls_conn *conn, char *buf, size_t size)
{
	(void)conn, (void)buf, (void)size;
}

enum smtpd_io_status
smtpd__tls_conn_uncork(struct smtpd_tls_conn *conn)
{
	(void)conn;
	return SMTPD_IO_TLS;
}

enum smtpd_io_status
smtpd__tls_conn_read(struct smtpd_tls_conn *conn, char *buf, size_t size,
    uint64_t deadline, size_t *got)
{
	(void)conn, (void)buf, (void)size, (void)deadline, (void)got;
	return SMTPD_IO_TLS;
}

enum smtpd_io_status
smtpd__tls_conn_write(struct smtpd_tls_conn *conn, const char *buf, size_t len)
{
	(void)conn, (void)buf, (void)len;
	return SMTPD_IO_TLS;
}

void
smtpd__tls_conn_save_memory(struct smtpd_tls_conn *conn)
{
	(void)conn;
}

void
smtpd__tls_conn_close(struct smtpd_tls_conn *conn)
{
	(void)conn;
}

void
smtpd__tls_conn_destroy(struct smtpd_tls_conn *conn)
{
	(void)conn;
}

const struct smtpd_tls_info *
smtpd__tls_conn_info(const struct smtpd_tls_conn *conn)
{
	(void)conn;
	return NULL;
}

int
smtpd_tls_tlsa(const struct smtpd_tls *tls, size_t pair, char *out, size_t size)
{
	(void)tls, (void)pair, (void)out, (void)size;
	errno = ENOENT;
	return -1;
}

bool
smtpd_tls_matches_tlsa(const struct smtpd_tls *tls, size_t pair,
    const struct smtpd_tlsa_set *set, size_t i, const char *host)
{
	(void)tls, (void)pair, (void)set, (void)i, (void)host;
	return false;
}
