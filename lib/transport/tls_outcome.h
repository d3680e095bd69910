/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_TRANSPORT_TLS_OUTCOME_H
#define SMTPD_TRANSPORT_TLS_OUTCOME_H

/* What came of the TLS of a connection out: how far it came, and what is wrong
 * with it, in words that reports share. */

#include <stdbool.h>

/* What went wrong with TLS, as reports call it (RFC 8460, 4.3). */
enum smtpd_tls_failure {
	SMTPD_TLS_FAILURE_NONE,
	SMTPD_TLS_FAILURE_STARTTLS_NOT_SUPPORTED,
	SMTPD_TLS_FAILURE_CERTIFICATE_HOST_MISMATCH,
	SMTPD_TLS_FAILURE_CERTIFICATE_EXPIRED,
	SMTPD_TLS_FAILURE_CERTIFICATE_NOT_TRUSTED,
	SMTPD_TLS_FAILURE_VALIDATION, /* anything else */
	SMTPD_TLS_FAILURE_TLSA_INVALID,
	SMTPD_TLS_FAILURE_DNSSEC_INVALID,
	SMTPD_TLS_FAILURE_DANE_REQUIRED,
	SMTPD_TLS_FAILURE_STS_POLICY_FETCH_ERROR,
	SMTPD_TLS_FAILURE_STS_POLICY_INVALID,
	SMTPD_TLS_FAILURE_STS_WEBPKI_INVALID,
};

/* What a connection has, from less to more. */
enum smtpd_tls_reached {
	SMTPD_TLS_REACHED_NONE,      /* plain text */
	SMTPD_TLS_REACHED_ENCRYPTED, /* to whomever */
	SMTPD_TLS_REACHED_VERIFIED,  /* a good certificate, with the name */
	SMTPD_TLS_REACHED_DANE,      /* one that a TLSA record matches */
};

#define SMTPD_TLS_OUTCOME_REASON_MAX 256
#define SMTPD_TLS_OUTCOME_RECORD_MAX 48

/* On the certificate of a server. */
struct smtpd_tls_outcome {
	enum smtpd_tls_reached reached;
	enum smtpd_tls_failure failure;            /* unless it is good */
	char reason[SMTPD_TLS_OUTCOME_REASON_MAX]; /* why it is not; "" */
	char record[SMTPD_TLS_OUTCOME_RECORD_MAX]; /* that it matched; "" */
};

#endif
