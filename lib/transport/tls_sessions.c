/* SPDX-License-Identifier: MIT */
#include "transport/tls_sessions.h"

#include <mbedtls/version.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/sizes.h"
#include "os/clock.h"

/* Sessions that are kept, and for how long. */
#define SESSIONS_MAX 128
#define SESSION_MS   7200000

struct smtpd_tls_session {
	char key[SMTPD_TLS_KEY_SIZE]; /* "": none */
	uint64_t stored;
	mbedtls_ssl_session session;
	struct smtpd_tls_outcome outcome;
};

void
smtpd__tls_sessions_init(struct smtpd_tls_sessions *s)
{
	pthread_mutex_init(&s->lock, NULL);
	s->list = NULL;
}

void
smtpd__tls_sessions_finish(struct smtpd_tls_sessions *s)
{
	for (size_t i = 0; s->list != NULL && i < SESSIONS_MAX; i++)
		mbedtls_ssl_session_free(&s->list[i].session);
	free(s->list);
	pthread_mutex_destroy(&s->lock);
}

/* The session under KEY, or NULL.  The lock is held.  A free place has the
 * empty key. */
static struct smtpd_tls_session *
find_session(struct smtpd_tls_sessions *s, const char *key)
{
	if (s->list == NULL || key[0] == '\0')
		return NULL;
	for (size_t i = 0; i < SESSIONS_MAX; i++)
		if (strcmp(s->list[i].key, key) == 0)
			return &s->list[i];
	return NULL;
}

/* Where a session under KEY belongs: its old place, a free one, or that of
 * the oldest; NULL without memory.  The lock is held. */
static struct smtpd_tls_session *
find_place(struct smtpd_tls_sessions *s, const char *key)
{
	struct smtpd_tls_session *x = find_session(s, key);

	if (x != NULL)
		return x;
	if (s->list == NULL) {
		s->list = calloc(SESSIONS_MAX, sizeof(*s->list));
		for (size_t i = 0; s->list != NULL && i < SESSIONS_MAX; i++)
			mbedtls_ssl_session_init(&s->list[i].session);
	}
	x = s->list;
	for (size_t i = 1; x != NULL && i < SESSIONS_MAX; i++)
		if (s->list[i].stored < x->stored)
			x = &s->list[i];
	return x;
}

void
smtpd__tls_sessions_offer(struct smtpd_tls_sessions *s, const char *key,
    mbedtls_ssl_context *ssl, struct smtpd_tls_outcome *outcome)
{
	const struct smtpd_tls_session *x;

	pthread_mutex_lock(&s->lock);
	x = find_session(s, key);
	if (x != NULL && smtpd__clock_ms() - x->stored < SESSION_MS &&
	    mbedtls_ssl_set_session(ssl, &x->session) == 0)
		*outcome = x->outcome;
	pthread_mutex_unlock(&s->lock);
}

void
smtpd__tls_sessions_store(struct smtpd_tls_sessions *s, const char *key,
    const mbedtls_ssl_context *ssl, const struct smtpd_tls_outcome *outcome)
{
	struct smtpd_tls_session *x;

	pthread_mutex_lock(&s->lock);
	x = find_place(s, key);
	if (x != NULL) {
		mbedtls_ssl_session_free(&x->session);
		mbedtls_ssl_session_init(&x->session);
		x->key[0] = '\0';
		x->stored = 0;
		if (mbedtls_ssl_get_session(ssl, &x->session) == 0) {
			snprintf(x->key, sizeof(x->key), "%s", key);
			x->outcome = *outcome;
			x->stored = smtpd__clock_ms();
		}
	}
	pthread_mutex_unlock(&s->lock);
}
