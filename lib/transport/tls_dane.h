/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_TRANSPORT_TLS_DANE_H
#define SMTPD_TRANSPORT_TLS_DANE_H

/*
 * The chain of certificates that a server sent, judged by TLSA records (RFC
 * 7671, 5.1; RFC 7671, 5.2).  No authority is believed but those of the
 * records.
 */

#include <mbedtls/x509_crt.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/tlsa.h"

struct smtpd_tls_dane {
	const struct smtpd_tlsa *record; /* that matched; NULL: none did */

	/* What is wrong all the same, bits of MBEDTLS_X509_BADCERT_*; 0: it is
	 * good.  Nothing can be wrong with DANE-EE. */
	uint32_t flags;
};

/*
 * Judge CHAIN, the server's own certificate with those behind it that it sent.
 * Where an authority matches, it must bear one of NNAMES names.  One match that
 * is good is enough.
 */
struct smtpd_tls_dane smtpd__tls_dane_judge(mbedtls_x509_crt *chain,
    const struct smtpd_tlsa_set *set, const char *const *names, size_t nnames);

#endif
