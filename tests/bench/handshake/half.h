/* SPDX-License-Identifier: MIT */
#ifndef HALF_H
#define HALF_H

/* One half of a TLS connection by bare mbedTLS, set up for speed. */

#include <mbedtls/version.h>

#include <mbedtls/ctr_drbg.h>
#include <mbedtls/entropy.h>
#include <mbedtls/pk.h>
#include <mbedtls/ssl.h>
#include <mbedtls/ssl_ticket.h>
#include <mbedtls/x509_crt.h>

#include <stdbool.h>

/* What all connections of one side share. */
struct side {
	mbedtls_entropy_context entropy;
	mbedtls_ctr_drbg_context drbg;
	mbedtls_ssl_config conf;
	mbedtls_ssl_ticket_context tickets;
	mbedtls_x509_crt cert;
	mbedtls_pk_context key;
};

/* Say what failed, and exit. */
_Noreturn void die(const char *what);

/* The server's side with a certificate and its key, or the client's, which
 * trusts anyone. */
void side_init_server(struct side *s, const char *cert, const char *key);
void side_init_client(struct side *s);

/* Whether a read only met something of TLS itself, such as a ticket: the next
 * one may have data. */
bool is_no_data(int result);

void side_finish(struct side *s);

#endif
