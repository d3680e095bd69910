/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_QUEUE_SCHEDULE_SITE_H
#define SMTPD_QUEUE_SCHEDULE_SITE_H

/* Where mail goes: when it is open, and for how many. */

#include "queue/schedule/state.h"

/* A site that is OWNER's alone, or is shared and called NAME.  NULL without
 * memory. */
struct smtpd_site *smtpd__site_create(struct smtpd_schedule *s,
    struct smtpd_destination *owner, const char *name);

/* Have SITE in the rings where it belongs, after any change; SERVED: it is
 * the last now. */
void smtpd__site_settle(struct smtpd_schedule *s, struct smtpd_site *site);
void smtpd__site_served(struct smtpd_schedule *s, struct smtpd_site *site);

/* Free SITE if nobody needs it, and its owner if it was kept only for it. */
void smtpd__site_tidy(struct smtpd_schedule *s, struct smtpd_site *site);

bool smtpd__site_has_ready(
    const struct smtpd_site *site, enum smtpd_job_kind kind);

/* One connection more, if it is open and has room. */
bool smtpd__site_enter(struct smtpd_schedule *s, struct smtpd_site *site);

/* One connection less. */
void smtpd__site_leave(struct smtpd_schedule *s, struct smtpd_site *site);

/* Open SITE, if it is closed, for a probe. */
void smtpd__site_open(struct smtpd_schedule *s, struct smtpd_site *site);

/* Open those whose time has come. */
void smtpd__site_open_due(struct smtpd_schedule *s, uint32_t now);

#endif
