/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_QUEUE_DELIVERY_BOUNCE_H
#define SMTPD_QUEUE_DELIVERY_BOUNCE_H

/*
 * Reports to senders (RFC 3461, 6.2; RFC 3464): whether one is due, and the
 * message.
 */

#include <smtpd/queue.h>

#include "queue/model/loaded_message.h"
#include "queue/spool/spool.h"

/* What is reported. */
enum smtpd_bounce_kind {
	SMTPD_BOUNCE_FAILED,
	SMTPD_BOUNCE_DELAYED,
	SMTPD_BOUNCE_RELAYED, /* to a host that will not report success */
};

struct smtpd_bounce {
	const char *hostname;
	const struct smtpd_loaded_message *loaded;
	unsigned flags; /* of the loaded's message */
	enum smtpd_bounce_kind kind;
	const struct smtpd_rcpt_progress *rcpts; /* it is about, if NOTIFY of
	                                          * each lets it be */
	size_t nrcpts;
	uint64_t now_ms;   /* since 1970 */
	uint64_t until_ms; /* DELAYED: how long it is tried */
};

/*
 * Whether there is anybody to tell: some recipient whose NOTIFY (RFC 3461, 4.1)
 * wants KIND, and a sender; a delay is told only of mail that a person wrote.
 * Relayed is told only where NOTIFY asks for SUCCESS.
 */
bool smtpd__bounce_is_wanted(const struct smtpd_bounce *b);

/*
 * Write the report into a new content of SPOOL and *MAIL, which refers to B and
 * to memory in *HOLD that the caller frees after it was added.  Return 0, or -1
 * with errno.
 */
int smtpd__bounce_write(const struct smtpd_bounce *b, struct smtpd_spool *spool,
    struct smtpd_spool_mail *mail, void **hold);

/*
 * How many reports went to whom in a minute, of MAX.  Senders are told apart by
 * a hash: a few share their limit.  Any number of threads may use one at a
 * time.  NOW is that of smtpd__clock_ms().
 */
struct smtpd_bounce_limit;
struct smtpd_bounce_limit *smtpd__bounce_limit_create(uint32_t max);
void smtpd__bounce_limit_destroy(struct smtpd_bounce_limit *l);

/* Whether SENDER may get one more, which is then counted. */
bool smtpd__bounce_limit_allows(
    struct smtpd_bounce_limit *l, const char *sender, uint64_t now);

#endif
