/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_QUEUE_SCHEDULE_RETRY_H
#define SMTPD_QUEUE_SCHEDULE_RETRY_H

/*
 * When again (RFC 5321, 4.5.4.1): the one place that decides it, for messages,
 * sites and hosts.  Pure: time, facts and chance are given by the caller.
 *
 * The strategy.  Most trouble is short, and what is not short lasts long: so
 * the first wait is `min`, and each further failure doubles it, up to `max`.
 * A tenth more or less, by chance, keeps what failed together from coming back
 * together.  The same rule serves three times:
 *
 * - a message at one domain, by its attempts (retry_min to retry_max);
 * - a site, by its failures in a row (likewise): while it is suspended, its
 *   messages wait for it and not for their own time;
 * - the address of a host, by its failures in a row (hoststat.h).
 *
 * For a message there is more to say:
 *
 * - Its life ends a fixed time after it arrived, sooner for a bounce.  A wait
 *   that would lead beyond the end leads to the end: one last attempt is made
 *   then, and if that fails too, the message has expired.
 * - If the reply to its dot was lost, it may have arrived: it waits six times
 *   retry_min at least before it may arrive twice.
 * - An attempt that the queue's stop cancelled counts for nothing: it neither
 *   expires the message nor makes it wait, unless it is in doubt.
 * - Nor does one count by which a site only said that mail comes too fast: the
 *   message goes on when the site's rate lets it (shaping.h).
 * - What waits for its operator, who is to mend a login, does not expire.
 * - The sender is told of the delay once, after a fixed time, if a person wrote
 *   the message and its life is not over.
 */

#include <stdbool.h>
#include <stdint.h>

#include "queue/model/queued_message.h"

/* The bounds of a wait, in any unit. */
struct smtpd_retry_bounds {
	uint64_t min;
	uint64_t max;
	bool jitter; /* a tenth more or less, by chance */
};

/* The next wait after FAILURES in a row, the present one included. */
uint64_t smtpd__retry_backoff(const struct smtpd_retry_bounds *bounds,
    uint32_t failures, uint64_t random);

/* A moment that is SECONDS after WHEN, and no later than the last one that is a
 * time. */
uint32_t smtpd__retry_after(uint32_t when, uint64_t seconds);

/* The rules of a queue, in seconds. */
struct smtpd_retry_rules {
	uint32_t min;
	uint32_t max;
	uint32_t lifetime; /* SMTPD_TIME_NONE: for ever; so the next two */
	uint32_t bounce_lifetime;
	uint32_t delay_notice;
};

/* What is known of a message's delivery to one domain, and of the attempt that
 * just ended, if any. */
struct smtpd_retry_facts {
	uint32_t now;
	uint32_t arrived;
	uint32_t due;             /* as it was before */
	uint32_t site_resumes_at; /* not to be tried before; 0 */
	uint16_t attempts;        /* before this one */
	unsigned flags;           /* of enum smtpd_message_flag */
	bool tried;               /* this one counts */
	bool cancelled;           /* it was broken off by the queue's stop */
	bool in_doubt;            /* a reply to the dot was lost */
	bool held;                /* until its operator mends a login */
	bool delay_notice_sent;
};

/* The decision. */
struct smtpd_retry {
	uint32_t due;
	uint32_t expiry; /* the life's end; SMTPD_TIME_NONE: never */
	uint16_t attempts;
	bool expired;
	bool wants_delay_notice;
};

/* Decide when a delivery is tried again, and whether its end has come. */
struct smtpd_retry smtpd__retry_decide(const struct smtpd_retry_rules *rules,
    const struct smtpd_retry_facts *facts, uint64_t random);

/* When the life of a message ends; SMTPD_TIME_NONE: never. */
uint32_t smtpd__retry_expiry(
    const struct smtpd_retry_rules *rules, uint32_t arrived, unsigned flags);

/* When the sender is told of the delay; SMTPD_TIME_NONE: never. */
uint32_t smtpd__retry_delay_notice(const struct smtpd_retry_rules *rules,
    uint32_t arrived, unsigned flags, bool sent);

#endif
