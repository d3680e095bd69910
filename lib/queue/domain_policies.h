/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_QUEUE_DOMAIN_POLICIES_H
#define SMTPD_QUEUE_DOMAIN_POLICIES_H

/* The part of a queue that knows what domains say of TLS: made, started and
 * ended with it. */

#include "queue/delivery/delivery.h"

/* Make what SETTINGS ask for, and give it to D; DIRECTORY is the queue's.
 * Return 0, or -1 with errno and the reason in ERROR of SIZE bytes. */
int smtpd__domain_policies_open(struct smtpd_delivery *d,
    const struct smtpd_queue_settings *settings, const char *directory,
    char *error, size_t size);

/* Begin to refresh what is known.  Return 0 or an errno value. */
int smtpd__domain_policies_start(struct smtpd_delivery *d);

/* End that, and all that waits for an answer. */
void smtpd__domain_policies_stop(struct smtpd_delivery *d);

/* What was counted of TLS today, as control/tls_stats.h shows it, of DELIVERY;
 * the caller frees it.  NULL: nothing, or there is no memory. */
char *smtpd__domain_policies_show(void *delivery);

/* No worker may be left. */
void smtpd__domain_policies_close(struct smtpd_delivery *d);

#endif
