/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_QUEUE_SCHEDULE_SITE_H
#define SMTPD_QUEUE_SCHEDULE_SITE_H

/* Where mail goes to: how many connections a site may have, and when it is
 * suspended. */

#include "queue/schedule/state.h"

/* A site that is OWNER's alone, or is shared and called NAME.  NULL without
 * memory. */
struct smtpd_site *smtpd__site_create(struct smtpd_schedule *s,
    struct smtpd_destination *owner, const char *name);

/* Free SITE if nobody needs it, and its owner if that was kept only for it. */
void smtpd__site_tidy(struct smtpd_schedule *s, struct smtpd_site *site);

/* Add a connection, with a message.  Return false if SITE is suspended, or has
 * no room for them now. */
bool smtpd__site_enter(
    struct smtpd_schedule *s, struct smtpd_site *site, uint32_t now);

/* Remove a connection. */
void smtpd__site_leave(struct smtpd_schedule *s, struct smtpd_site *site);

/* Resume SITE, if it is suspended, for a probe. */
void smtpd__site_resume(struct smtpd_schedule *s, struct smtpd_site *site);

/* New mail came for SITE: if it is suspended, it resumes as soon as that has
 * lasted for the shortest wait. */
void smtpd__site_hasten(
    struct smtpd_schedule *s, struct smtpd_site *site, uint32_t now);

/* Resume those whose time has come, and look at those whose limits let them
 * have more by now. */
void smtpd__site_resume_due(struct smtpd_schedule *s, uint32_t now);

#endif
