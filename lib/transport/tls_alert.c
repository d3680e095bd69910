/* SPDX-License-Identifier: MIT */
#include "transport/tls_alert.h"

#include <mbedtls/error.h>

#include <stdio.h>

static const char *
name_alert(unsigned code)
{
	static const struct {
		unsigned code;
		const char *name;
	} alerts[] = {
		{ 0, "close_notify" },
		{ 10, "unexpected_message" },
		{ 20, "bad_record_mac" },
		{ 21, "decryption_failed" },
		{ 22, "record_overflow" },
		{ 30, "decompression_failure" },
		{ 40, "handshake_failure" },
		{ 41, "no_certificate" },
		{ 42, "bad_certificate" },
		{ 43, "unsupported_certificate" },
		{ 44, "certificate_revoked" },
		{ 45, "certificate_expired" },
		{ 46, "certificate_unknown" },
		{ 47, "illegal_parameter" },
		{ 48, "unknown_ca" },
		{ 49, "access_denied" },
		{ 50, "decode_error" },
		{ 51, "decrypt_error" },
		{ 70, "protocol_version" },
		{ 71, "insufficient_security" },
		{ 80, "internal_error" },
		{ 86, "inappropriate_fallback" },
		{ 90, "user_canceled" },
		{ 100, "no_renegotiation" },
		{ 109, "missing_extension" },
		{ 110, "unsupported_extension" },
		{ 112, "unrecognized_name" },
		{ 113, "bad_certificate_status_response" },
		{ 115, "unknown_psk_identity" },
		{ 116, "certificate_required" },
		{ 120, "no_application_protocol" },
	};

	for (size_t i = 0; i < sizeof(alerts) / sizeof(*alerts); i++)
		if (alerts[i].code == code)
			return alerts[i].name;
	return "unknown";
}

void
smtpd__tls_alert_explain(
    const mbedtls_ssl_context *ssl, int result, char *reason, size_t size)
{
	unsigned code;

	if (result != MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE) {
		mbedtls_strerror(result, reason, size);
		return;
	}
	code = smtpd_tls_get_alert(ssl);
	snprintf(reason, size, "the peer ended it with alert %u, %s", code,
	    name_alert(code));
}
