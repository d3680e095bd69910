/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_TRANSPORT_TLS_CLIENT_H
#define SMTPD_TRANSPORT_TLS_CLIENT_H

/* The client's end of TLS.  All of mbedTLS is behind this. */

#include <smtpd/client.h>

#include "transport/tls_conn.h"

/* As smtpd_trust_create(), but nobody is believed.  NULL without memory. */
struct smtpd_trust *smtpd__tls_client_empty_trust(void);

/*
 * All that a connection to HOST ("" for no name) over W needs, but no
 * handshake yet; NULL without memory.  T must live as long.  A session that
 * was kept under KEY goes on if the server agrees.
 */
struct smtpd_tls_conn *smtpd__tls_client_create(struct smtpd_trust *t,
    struct smtpd_wire *w, const char *host, const char *key);

/*
 * Shake hands before the absolute DEADLINE, with whatever certificate.  When
 * it fails, REASON of SIZE bytes says why.
 */
enum smtpd_io_status smtpd__tls_client_handshake(
    struct smtpd_tls_conn *conn, uint64_t deadline, char *reason, size_t size);

/* What is known once the handshake is over; lives as long as CONN, which
 * smtpd__tls_client_create() made. */
const struct smtpd_client_tls_info *smtpd__tls_client_info(
    const struct smtpd_tls_conn *conn);

/* Keep the session of CONN, whose handshake is over, under its key. */
void smtpd__tls_client_keep(struct smtpd_tls_conn *conn);

#endif
