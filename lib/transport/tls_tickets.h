/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_TRANSPORT_TLS_TICKETS_H
#define SMTPD_TRANSPORT_TLS_TICKETS_H

/*
 * Session tickets of servers (RFC 8446, 4.6.1), with keys that a
 * context may take over from the one that it replaces.
 */

#include <mbedtls/ssl.h>
#include <mbedtls/ssl_ticket.h>

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "crypto/digest.h"
#include "crypto/rng.h"

/* Tells the tickets of one set of certificates from those of another. */
#define SMTPD_TLS_TICKETS_MARK_SIZE SMTPD_SHA256_SIZE

/* Shared by contexts, by references.  Each part has a lock of its own. */
struct smtpd_tls_tickets {
	atomic_uint refs;
	struct smtpd_rng random;
	mbedtls_ssl_ticket_context context;
	bool enabled;
};

/* With keys for tickets that last LIFETIME_S seconds; 0: without tickets, only
 * with random numbers.  NULL without memory. */
struct smtpd_tls_tickets *smtpd__tls_tickets_create(uint32_t lifetime_s);

/* One reference more, or less; NULL is fine for the latter. */
struct smtpd_tls_tickets *smtpd__tls_tickets_ref(struct smtpd_tls_tickets *x);
void smtpd__tls_tickets_unref(struct smtpd_tls_tickets *x);

/* The tickets of one context, and its mark. */
struct smtpd_tls_ticket_use {
	struct smtpd_tls_tickets *tickets;
	const unsigned char *mark; /* SMTPD_TLS_TICKETS_MARK_SIZE bytes */
};

/* Have servers by CONF give and take tickets as USE says, which must live as
 * long. */
void smtpd__tls_tickets_set(
    mbedtls_ssl_config *conf, struct smtpd_tls_ticket_use *use);

#endif
