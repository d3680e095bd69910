/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_VERIFY_H
#define SMTPD_VERIFY_H

/*
 * Saying what would become of mail: to whom a queue would send it, and by which
 * route, as for VRFY and EXPN (RFC 5321, 3.5.1).
 */

#include <smtpd/queue.h>
#include <smtpd/version.h>

#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A recipient of a message that there might be.  It belongs to the library, and
 * may grow. */
struct smtpd_queue_recipient {
	const char *address;

	/* The targets of its route, as "relay.example:25,mx", without users,
	 * "lmtp:/run/lmtp", "error:5.1.1 No such user" or "local"; "mx" where
	 * it has none. */
	const char *route;
	bool refused; /* it is an error: the sender would be told */
};

typedef void smtpd_recipient_fn(
    const struct smtpd_queue_recipient *recipient, void *user) SMTPD_NOEXCEPT;

/*
 * Call FOUND with USER for each recipient that a message from SENDER ("": the
 * null sender) to ADDRESS would have in Q now: both are completed as the
 * settings say of fix, expand is asked, and the routes are.  Nothing is queued,
 * and the DNS is not asked.  Return 0, or -1 with errno: EINVAL when one of the
 * two is no address, ENOMEM, or that of expand.  Any thread.  Since 0.2.
 */
SMTPD_API int smtpd_queue_verify(struct smtpd_queue *q, const char *sender,
    const char *address, smtpd_recipient_fn *found, void *user);

#ifdef __cplusplus
}
#endif

#endif
