/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_TRANSPORT_TLS_CONN_STATE_H
#define SMTPD_TRANSPORT_TLS_CONN_STATE_H

/* The state that the two ends of TLS share, for the files tls_* alone. */

#include <mbedtls/ssl.h>

#include "transport/tls_conn.h"

struct smtpd_tls_conn {
	mbedtls_ssl_context ssl;   /* first: the SNI callback gets it alone */
	struct smtpd_tls *context; /* of a server; else NULL */
	struct smtpd_wire *wire;
	uint64_t deadline;           /* of the present read */
	enum smtpd_io_status status; /* of the wire, once it failed */
	char *cork; /* what is written waits here; NULL: it does not */
	size_t cork_size, cork_len;
	struct smtpd_tls_info info;
	char cipher[64];
	char *server_name; /* on the heap, most clients have neither */
	char *client;
};

/* Begin CONN, zeroed, by CONF over W.  Return 0, or -1 without memory; it is
 * to be destroyed in any case. */
int smtpd__tls_conn_init(struct smtpd_tls_conn *conn,
    const mbedtls_ssl_config *conf, struct smtpd_wire *w);

/* Shake hands before the absolute DEADLINE.  Return the result of mbedTLS, 0 on
 * success. */
int smtpd__tls_conn_shake_hands(struct smtpd_tls_conn *conn, uint64_t deadline);

/* The status that RESULT of mbedTLS, negative or 0, means. */
enum smtpd_io_status smtpd__tls_conn_status(
    const struct smtpd_tls_conn *conn, int result);

/* Fill in the name of the cipher in use. */
void smtpd__tls_conn_name_cipher(struct smtpd_tls_conn *conn);

#endif
