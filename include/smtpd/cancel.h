/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_CANCEL_H
#define SMTPD_CANCEL_H

/*
 * A way to end what another thread is waiting for: given to a look-up or a
 * client, and triggered from anywhere.
 */

#include <smtpd/version.h>

#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Opaque.  It must live as long as anything it was given to. */
struct smtpd_cancel;

/* Make one that is not triggered.  Return NULL with errno (no memory, no
 * descriptor).  Since 0.1. */
SMTPD_API struct smtpd_cancel *smtpd_cancel_create(void);

/* Free it; no thread may be using it.  NULL is fine.  Since 0.1. */
SMTPD_API void smtpd_cancel_destroy(struct smtpd_cancel *c);

/*
 * From now on every wait that C was given to ends at once, those of the
 * future too.  Any thread, also a signal handler; again does no harm.
 * Since 0.1.
 */
SMTPD_API void smtpd_cancel_trigger(struct smtpd_cancel *c);

/* Whether C was triggered; false for NULL.  Any thread.  Since 0.1. */
SMTPD_API bool smtpd_cancel_is_triggered(const struct smtpd_cancel *c);

/* A descriptor that poll() finds readable from the moment C is triggered on;
 * it must not be read, nor closed.  -1, which poll() passes over, for NULL.
 * Any thread.  Since 0.2. */
SMTPD_API int smtpd_cancel_fd(const struct smtpd_cancel *c);

#ifdef __cplusplus
}
#endif

#endif
