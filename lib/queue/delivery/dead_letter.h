/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_QUEUE_DELIVERY_DEAD_LETTER_H
#define SMTPD_QUEUE_DELIVERY_DEAD_LETTER_H

/*
 * A report that nobody takes ends here: it is kept in dead/, logged with the id
 * of the message that it is about, and the postmaster is told, once an hour.
 */

#include <stdbool.h>

struct smtpd_bounce;
struct smtpd_delivery;
struct smtpd_loaded_message;

/* Keep the message of FAILED, the null sender's.  Return 0, or -1 with
 * errno. */
int smtpd__dead_letter_keep(
    struct smtpd_delivery *d, const struct smtpd_bounce *failed);

/* Return true if LOADED is what the postmaster is told: it is tried once, since
 * log and list say the same. */
bool smtpd__dead_letter_is_notice(const struct smtpd_loaded_message *loaded);

#endif
