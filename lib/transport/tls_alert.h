/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_TRANSPORT_TLS_ALERT_H
#define SMTPD_TRANSPORT_TLS_ALERT_H

/* Why TLS failed, in the words of mbedTLS, and in those of the peer where it
 * sent an alert. */

#include "transport/tls_compat.h"

/* Write what RESULT, an error of SSL, means to REASON of SIZE bytes. */
void smtpd__tls_alert_explain(
    const mbedtls_ssl_context *ssl, int result, char *reason, size_t size);

#endif
