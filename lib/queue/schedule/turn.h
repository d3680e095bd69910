/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_QUEUE_SCHEDULE_TURN_H
#define SMTPD_QUEUE_SCHEDULE_TURN_H

/* Which site is served next: those that answered the last time, and were not
 * slow; and strangers, which may never answer and therefore have a share
 * only. */

#include "queue/schedule/state.h"

/* Put SITE into the rings where it belongs. */
void smtpd__turn_place(struct smtpd_schedule *s, struct smtpd_site *site);

/* The site whose turn it is; NULL: no mail waits only for a worker. */
struct smtpd_site *smtpd__turn_next(const struct smtpd_schedule *s);

/* SITE, which was the next, is served: it becomes the last one. */
void smtpd__turn_served(struct smtpd_schedule *s, struct smtpd_site *site);

/* Return true if new mail waits only for a worker. */
bool smtpd__turn_has_fresh(const struct smtpd_schedule *s);

/* A connection is given to SITE, which is not in a ring until it is placed
 * again. */
void smtpd__turn_set_asked(struct smtpd_site *site);

/* SITE has answered in time, or it has not. */
void smtpd__turn_set_known(
    struct smtpd_schedule *s, struct smtpd_site *site, bool known);

/* SITE is freed: remember whether it is known. */
void smtpd__turn_remember(
    struct smtpd_schedule *s, const struct smtpd_site *site);

/* Whether a new SITE was known when it was last freed. */
bool smtpd__turn_was_known(
    const struct smtpd_schedule *s, const struct smtpd_site *site);

#endif
