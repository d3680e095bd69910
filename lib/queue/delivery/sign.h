/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_QUEUE_DELIVERY_SIGN_H
#define SMTPD_QUEUE_DELIVERY_SIGN_H

/*
 * Signing on the way into the spool: the header is held back until it is known
 * who signs it, room for the signature is left above it, and filled when the
 * body was read.
 */

#include <smtpd/dkim.h>

#include <pthread.h>
#include <stdatomic.h>

#include "base/logger.h"
#include "base/pack.h"
#include "queue/spool/content.h"

/* Octets of a header that are held back; a longer one is not signed. */
#define SMTPD_SIGN_HEADER_MAX 1048576

/* How a queue signs. */
struct smtpd_signing {
	pthread_mutex_t lock;    /* guards the next two */
	struct smtpd_dkim *dkim; /* NULL: nothing is signed */
	bool logged; /* that a message was not signed, since this signer came */
	const char *domain; /* of addresses without one */
	const struct smtpd_logger *logger;
	atomic_uint_fast64_t signed_count;
	atomic_uint_fast64_t unsigned_count;
};

/* A message on its way into a content. */
struct smtpd_sign {
	struct smtpd_signing *signing;
	uint64_t id;
	struct smtpd_spool_content *content;
	struct smtpd_dkim_message *message; /* NULL: it is not signed */
	struct smtpd_pack header;           /* held back */
	bool through;                       /* nothing is held back any more */
};

/* Begin without a signer; LOGGER and DOMAIN outlive S. */
void smtpd__sign_init(struct smtpd_signing *s,
    const struct smtpd_logger *logger, const char *domain);

/* Sign with DKIM from now on, NULL: sign nothing; S takes a reference. */
void smtpd__sign_set(struct smtpd_signing *s, struct smtpd_dkim *dkim);

void smtpd__sign_destroy(struct smtpd_signing *s);

/* Begin the message ID, which goes to CONTENT, signed as SIGNING says (NULL: it
 * is not).  Return 0, or -1 with errno.  It is to be finished in any case. */
int smtpd__sign_begin(struct smtpd_sign *s, struct smtpd_signing *signing,
    uint64_t id, struct smtpd_spool_content *content);

/* Append LEN bytes to SIGN, a struct smtpd_sign: this is a smtpd_sink_fn.
 * Return 0, or -1 with errno. */
int smtpd__sign_write(void *sign, const void *data, size_t len);

/* Whether S, whose header is over, will be signed. */
bool smtpd__sign_will_sign(const struct smtpd_sign *s);

/* The message is over: sign it, which takes milliseconds and may wait for a
 * callback, so that no lock may be held.  Return 0, or -1 with errno; EIO: the
 * key failed, as the log says. */
int smtpd__sign_end(struct smtpd_sign *s);

/* Free what S holds, but not the content.  errno stays. */
void smtpd__sign_finish(struct smtpd_sign *s);

#endif
