/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_TRANSPORT_TLS_NAMES_H
#define SMTPD_TRANSPORT_TLS_NAMES_H

/* The names of hosts in certificates. */

#include <mbedtls/x509_crt.h>

#include <stdbool.h>
#include <stddef.h>

/* Those that a certificate bears: its alternative ones; or, if it has none,
 * its common name. */
struct smtpd_tls_names {
	const mbedtls_x509_sequence *alt;
	const mbedtls_x509_name *part; /* of the subject */
};

/* Begin to go through the names of C. */
struct smtpd_tls_names smtpd__tls_names(const mbedtls_x509_crt *c);

/* The next of them, *NAME of *LEN bytes; false after the last. */
bool smtpd__tls_names_next(
    struct smtpd_tls_names *n, const char **name, size_t *len);

/* Read NAME, an address of IP, also in the form of an address literal
 * ("[127.0.0.1]", "[IPv6:::1]"), to OUT.  Return its length; 0: it is none. */
size_t smtpd__tls_names_address(const char *name, unsigned char out[16]);

/* Whether C is for the address of LEN bytes at IP (iPAddress). */
bool smtpd__tls_names_include_address(
    const mbedtls_x509_crt *c, const unsigned char *ip, size_t len);

/* Whether C is for the host NAME of LEN bytes.  A name in C may begin with
 * "*." for one label. */
bool smtpd__tls_names_include(
    const mbedtls_x509_crt *c, const char *name, size_t len);

/* Whether A and B have a name in common. */
bool smtpd__tls_names_overlap(
    const mbedtls_x509_crt *a, const mbedtls_x509_crt *b);

#endif
