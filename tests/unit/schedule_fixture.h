/* SPDX-License-Identifier: MIT */
#ifndef UNIT_SCHEDULE_FIXTURE_H
#define UNIT_SCHEDULE_FIXTURE_H

/* A schedule with mail to nobody, and a clock that stands still until a test
 * sets it. */

#include <stddef.h>

#include "queue/schedule/schedule.h"

#define MINUTE 60U
#define HOUR   3600U
#define DAY    86400U

/* A test is run at each of these times. */
extern const uint32_t world_epochs[3];

/* The defaults of the queue. */
extern const struct smtpd_schedule_settings world_defaults;

struct world {
	struct smtpd_schedule_settings settings;
	struct smtpd_schedule *schedule;
	uint32_t now;
	struct smtpd_delivery_job **jobs; /* job->first is the index */
	size_t njobs;
	size_t room;
};

/* SETTINGS: NULL for the defaults. */
void world_begin(struct world *w,
    const struct smtpd_schedule_settings *settings, uint32_t now);

/* Finish all mail, which nobody may have a connection for, and check that
 * nothing is left. */
void world_end(struct world *w);

/* A message of one job, out of the schedule; NULL without memory. */
struct smtpd_delivery_job *world_make(
    struct world *w, const char *domain, unsigned flags);

/* The same, inserted to be tried now; as one that was never tried. */
struct smtpd_delivery_job *world_mail(struct world *w, const char *domain);

/* The same, COUNT times. */
void world_mail_many(struct world *w, const char *domain, size_t count);

/* The same, as one that was tried before. */
struct smtpd_delivery_job *world_retry(struct world *w, const char *domain);

/* Take JOB out in whatever state it is, and free it. */
void world_finish(struct world *w, struct smtpd_delivery_job *job);

/* The next job: there must be one; or there must be none. */
struct smtpd_delivery_job *world_take(
    struct world *w, struct smtpd_site **site);
void world_take_none(struct world *w);

/* What is decided about JOB now, after an attempt or before it; and the same
 * carried out. */
struct smtpd_retry world_decide(
    struct world *w, const struct smtpd_delivery_job *job, bool tried);
void world_retry_later(struct world *w, struct smtpd_delivery_job *job);

/* JOB was sent, and its connection is left. */
void world_sent(
    struct world *w, struct smtpd_delivery_job *job, struct smtpd_site *site);

/* JOB was deferred, with what that says of the site. */
void world_defer(struct world *w, struct smtpd_delivery_job *job,
    struct smtpd_site *site, enum smtpd_site_feedback feedback);

/* Take one job and report that its site is down.  Return when it resumes. */
uint32_t world_suspend(struct world *w);

struct smtpd_site_info world_site_info(const struct smtpd_delivery_job *job);

/* Whether what the schedule has is all as it should be, in all its lists. */
void world_check(const struct world *w);

#endif
