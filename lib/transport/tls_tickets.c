/* SPDX-License-Identifier: MIT */
#include "transport/tls_tickets.h"

#include <mbedtls/version.h>

#include <stdlib.h>
#include <string.h>

struct smtpd_tls_tickets *
smtpd__tls_tickets_create(uint32_t lifetime_s)
{
	struct smtpd_tls_tickets *x = calloc(1, sizeof(*x));
	int error;

	if (x == NULL)
		return NULL;
	atomic_init(&x->refs, 1);
	mbedtls_ssl_ticket_init(&x->context);
	error = smtpd__rng_init(&x->random);
	if (error == 0 && lifetime_s > 0) {
		x->enabled = true;
		error = mbedtls_ssl_ticket_setup(&x->context,
		    mbedtls_ctr_drbg_random, &x->random.drbg,
		    MBEDTLS_CIPHER_AES_256_GCM, lifetime_s);
	}
	if (error == 0)
		return x;
	smtpd__tls_tickets_unref(x);
	return NULL;
}

struct smtpd_tls_tickets *
smtpd__tls_tickets_ref(struct smtpd_tls_tickets *x)
{
	atomic_fetch_add(&x->refs, 1);
	return x;
}

void
smtpd__tls_tickets_unref(struct smtpd_tls_tickets *x)
{
	if (x == NULL || atomic_fetch_sub(&x->refs, 1) > 1)
		return;
	mbedtls_ssl_ticket_free(&x->context);
	smtpd__rng_free(&x->random);
	free(x);
}

/*
 * mbedTLS resumes a session with the suite that it would choose now, whatever
 * the session had (RFC 5246, 7.4.1.3).  That is the same only while there are
 * the same kinds of keys for the same names: a mark of them stands before each
 * ticket.
 */
static int
write_ticket(void *arg, const mbedtls_ssl_session *session,
    unsigned char *start, const unsigned char *end, size_t *len,
    uint32_t *lifetime)
{
	const struct smtpd_tls_ticket_use *use = arg;
	int error;

	if (end - start < SMTPD_TLS_TICKETS_MARK_SIZE)
		return MBEDTLS_ERR_SSL_BUFFER_TOO_SMALL;
	memcpy(start, use->mark, SMTPD_TLS_TICKETS_MARK_SIZE);
	error = mbedtls_ssl_ticket_write(&use->tickets->context, session,
	    start + SMTPD_TLS_TICKETS_MARK_SIZE, end, len, lifetime);
	*len += SMTPD_TLS_TICKETS_MARK_SIZE;
	return error;
}

static int
parse_ticket(
    void *arg, mbedtls_ssl_session *session, unsigned char *ticket, size_t len)
{
	const struct smtpd_tls_ticket_use *use = arg;

	if (len < SMTPD_TLS_TICKETS_MARK_SIZE ||
	    memcmp(ticket, use->mark, SMTPD_TLS_TICKETS_MARK_SIZE) != 0)
		return MBEDTLS_ERR_SSL_INVALID_MAC;
	return mbedtls_ssl_ticket_parse(&use->tickets->context, session,
	    ticket + SMTPD_TLS_TICKETS_MARK_SIZE,
	    len - SMTPD_TLS_TICKETS_MARK_SIZE);
}

void
smtpd__tls_tickets_set(
    mbedtls_ssl_config *conf, struct smtpd_tls_ticket_use *use)
{
	if (use->tickets->enabled)
		mbedtls_ssl_conf_session_tickets_cb(
		    conf, write_ticket, parse_ticket, use);
}
