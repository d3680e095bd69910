/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_TRANSPORT_TLS_CONN_H
#define SMTPD_TRANSPORT_TLS_CONN_H

/* One connection in TLS over a wire.  All of mbedTLS is behind this. */

#include <smtpd/tls.h>

#include "transport/wire.h"

struct smtpd_tls_conn;

/* From now on TLS is shared and stays as it is; but not when it has no
 * certificate: return whether it has. */
bool smtpd__tls_context_freeze(struct smtpd_tls *tls);

/* All that a connection of CONTEXT over W needs, after STARTTLS or from the
 * first byte, but no handshake yet; NULL without memory.  It holds a
 * reference. */
struct smtpd_tls_conn *smtpd__tls_conn_create(
    struct smtpd_tls *context, bool starttls, struct smtpd_wire *w);

/*
 * Shake hands as the server before the absolute DEADLINE.  When it fails,
 * REASON of SIZE bytes says why.
 */
enum smtpd_io_status smtpd__tls_conn_handshake(
    struct smtpd_tls_conn *conn, uint64_t deadline, char *reason, size_t size);

/*
 * From now on keep what is to be sent in BUF of SIZE bytes, until it is full
 * or something is to be read; and from now on no longer.  A handshake writes
 * each of its messages by itself otherwise.
 */
void smtpd__tls_conn_cork(struct smtpd_tls_conn *conn, char *buf, size_t size);
enum smtpd_io_status smtpd__tls_conn_uncork(struct smtpd_tls_conn *conn);

/* As smtpd__wire_read() and smtpd__wire_write(). */
enum smtpd_io_status smtpd__tls_conn_read(struct smtpd_tls_conn *conn,
    char *buf, size_t size, uint64_t deadline, size_t *got);
enum smtpd_io_status smtpd__tls_conn_write(
    struct smtpd_tls_conn *conn, const char *buf, size_t len);

/* While a read waits: give back what no record that has come yet needs. */
void smtpd__tls_conn_save_memory(struct smtpd_tls_conn *conn);

/* Tell the peer that nothing more comes. */
void smtpd__tls_conn_close(struct smtpd_tls_conn *conn);

/* Free CONN; NULL is fine. */
void smtpd__tls_conn_destroy(struct smtpd_tls_conn *conn);

/* Information that is complete once the handshake is over. */
const struct smtpd_tls_info *smtpd__tls_conn_info(
    const struct smtpd_tls_conn *conn);

#endif
