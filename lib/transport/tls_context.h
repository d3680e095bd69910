/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_TRANSPORT_TLS_CONTEXT_H
#define SMTPD_TRANSPORT_TLS_CONTEXT_H

/* Certificates, keys and rules of a server: the part of a context that its
 * connections see. */

#include <mbedtls/ssl.h>

#include <smtpd/tls.h>

#include "transport/tls_pairs.h"

/* The configuration of all connections of TLS, which it outlives: of those that
 * begin with STARTTLS, or of the others. */
const mbedtls_ssl_config *smtpd__tls_context_conf(
    const struct smtpd_tls *tls, bool starttls);

/* Its pairs. */
const struct smtpd_tls_pairs *smtpd__tls_context_pairs(
    const struct smtpd_tls *tls);

#endif
