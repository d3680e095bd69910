/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_TRANSPORT_TLS_TRUST_H
#define SMTPD_TRANSPORT_TLS_TRUST_H

/*
 * What connections out share: the authorities that are believed, the TLS
 * configurations, and the sessions that can be resumed.
 */

#include <mbedtls/ssl.h>

#include <smtpd/client.h>

#include "transport/tls_sessions.h"

/* As smtpd_trust_create(), but without authorities.  NULL without memory. */
struct smtpd_trust *smtpd__tls_trust_create_empty(void);

/*
 * The configuration of connections of T, which it outlives.  That with
 * LEGACY_SIGNATURES is for servers of TLS 1.2 that choose RSA-PSS, which this
 * mbedTLS offers and then refuses.
 */
const mbedtls_ssl_config *smtpd__tls_trust_conf(
    const struct smtpd_trust *t, bool legacy_signatures);

/* The sessions of T. */
struct smtpd_tls_sessions *smtpd__tls_trust_sessions(struct smtpd_trust *t);

#endif
