/* SPDX-License-Identifier: MIT */
/* A library without TLS: no connection gets as far as a handshake. */
#include "transport/tls_client.h"

struct smtpd_trust *
smtpd__tls_client_trust_nobody(void)
{
	return NULL;
}

struct smtpd_tls_conn *
smtpd__tls_client_create(struct smtpd_trust *t, struct smtpd_wire *w,
    const struct smtpd_tls_client_settings *set)
{
	(void)t, (void)w, (void)set;
	return NULL;
}

enum smtpd_io_status
smtpd__tls_client_handshake(
    struct smtpd_tls_conn *conn, uint64_t deadline, char *reason, size_t size)
{
	(void)conn, (void)deadline, (void)reason, (void)size;
	return SMTPD_IO_TLS;
}

bool
smtpd__tls_client_needs_legacy(const struct smtpd_tls_conn *conn)
{
	(void)conn;
	return false;
}

const struct smtpd_client_tls_info *
smtpd__tls_client_info(const struct smtpd_tls_conn *conn)
{
	(void)conn;
	return NULL;
}

const struct smtpd_tls_outcome *
smtpd__tls_client_outcome(const struct smtpd_tls_conn *conn)
{
	(void)conn;
	return NULL;
}

void
smtpd__tls_client_keep(struct smtpd_tls_conn *conn)
{
	(void)conn;
}
