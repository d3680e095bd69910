/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_TRANSPORT_TLS_CLIENT_H
#define SMTPD_TRANSPORT_TLS_CLIENT_H

/* TLS on a connection out, from the handshake to the session that may be
 * resumed.  No caller sees anything of mbedTLS. */

#include <smtpd/client.h>

#include "base/tlsa.h"
#include "transport/tls_conn.h"
#include "transport/tls_outcome.h"

/* As smtpd_trust_create(), but no authority is believed.  NULL without memory.
 */
struct smtpd_trust *smtpd__tls_client_trust_nobody(void);

struct smtpd_tls_client_settings {
	const char *host; /* "": none, so that no certificate is good */

	/* Names of which the certificate must bear one instead; none: the
	 * host's is good. */
	const char *const *names;
	size_t nnames;

	/* Records of which its chain must match one, in the place of
	 * authorities; NULL: none.  NAMES are then those that count where an
	 * authority matches. */
	const struct smtpd_tlsa_set *tlsa;
	const char *server_name; /* that it is asked for; NULL: host */

	const char *key; /* a session that was kept under it is resumed */
	bool legacy_signatures; /* TLS 1.2 at most, and no RSA-PSS */
};

/*
 * Create all that a connection by SET over W needs, but do no handshake yet.
 * Return NULL without memory.  T must live as long, and SET's names and
 * records until the handshake is over.
 */
struct smtpd_tls_conn *smtpd__tls_client_create(struct smtpd_trust *t,
    struct smtpd_wire *w, const struct smtpd_tls_client_settings *set);

/*
 * Shake hands before the absolute DEADLINE, with whatever certificate.  When
 * it fails, REASON of SIZE bytes says why.
 */
enum smtpd_io_status smtpd__tls_client_handshake(
    struct smtpd_tls_conn *conn, uint64_t deadline, char *reason, size_t size);

/* Whether the handshake failed in a way that another connection, with
 * legacy_signatures, is likely to get round. */
bool smtpd__tls_client_needs_legacy(const struct smtpd_tls_conn *conn);

/* Information that is complete once the handshake is over; it lives as long as
 * CONN, which smtpd__tls_client_create() made. */
const struct smtpd_client_tls_info *smtpd__tls_client_info(
    const struct smtpd_tls_conn *conn);

/* What came of it; likewise. */
const struct smtpd_tls_outcome *smtpd__tls_client_outcome(
    const struct smtpd_tls_conn *conn);

/* Keep the session of CONN, whose handshake is over, under its key. */
void smtpd__tls_client_keep(struct smtpd_tls_conn *conn);

#endif
