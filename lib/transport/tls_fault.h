/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_TRANSPORT_TLS_FAULT_H
#define SMTPD_TRANSPORT_TLS_FAULT_H

/* Why something cannot become part of a TLS context, as one sentence and as an
 * errno. */

struct smtpd_tls_fault {
	char text[256];
};

/*
 * Set E to "WHERE: WHAT", and the reason of CODE: an error of mbedTLS if it is
 * negative, an errno if it is positive; 0: no more.  Set errno too, to EINVAL
 * unless CODE is one.  Return -1.
 */
int smtpd__tls_fault_set(
    struct smtpd_tls_fault *e, const char *where, const char *what, int code);

#endif
