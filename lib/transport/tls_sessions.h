/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_TRANSPORT_TLS_SESSIONS_H
#define SMTPD_TRANSPORT_TLS_SESSIONS_H

/*
 * TLS sessions of connections out, kept to be resumed: the least recently
 * stored makes room for a new one.  Any number of threads may use them at a
 * time.
 */

#include <mbedtls/ssl.h>

#include <pthread.h>

#include "transport/tls_outcome.h"

struct smtpd_tls_session;

struct smtpd_tls_sessions {
	pthread_mutex_t lock;
	struct smtpd_tls_session *list; /* NULL: none yet */
};

void smtpd__tls_sessions_init(struct smtpd_tls_sessions *s);
void smtpd__tls_sessions_finish(struct smtpd_tls_sessions *s);

/* Have SSL offer the server to resume the session under KEY, if there is one,
 * and fill in OUTCOME then, as it was when the session began. */
void smtpd__tls_sessions_offer(struct smtpd_tls_sessions *s, const char *key,
    mbedtls_ssl_context *ssl, struct smtpd_tls_outcome *outcome);

/* Store the session of SSL with OUTCOME under KEY; under the empty one none is
 * found. */
void smtpd__tls_sessions_store(struct smtpd_tls_sessions *s, const char *key,
    const mbedtls_ssl_context *ssl, const struct smtpd_tls_outcome *outcome);

#endif
