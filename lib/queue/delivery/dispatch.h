/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_QUEUE_DELIVERY_DISPATCH_H
#define SMTPD_QUEUE_DELIVERY_DISPATCH_H

/*
 * Between spool, schedule and workers: jobs go into the schedule, are taken by
 * workers, and come back.
 */

#include "queue/delivery/delivery.h"

/* For smtpd_spool_settings; USER is the delivery. */
struct smtpd_destination *smtpd__dispatch_ref_destination(
    void *user, const char *domain, const struct smtpd_spool_addressees *mail);
void smtpd__dispatch_unref_destination(
    void *user, struct smtpd_destination *destination);

/* Before any thread runs: give each message that an earlier process left the
 * destinations that its routes say, where these depend on more than domains. */
void smtpd__dispatch_find_destinations(struct smtpd_delivery *d);

/* Schedule the jobs of a new MESSAGE, which is pinned, unless it is held, wake
 * workers for them, and unpin it. */
void smtpd__dispatch_schedule(
    struct smtpd_delivery *d, struct smtpd_queued_message *message);

/* The same for each message, but for jobs that are scheduled already: those
 * that an earlier process left, and those that there was no memory for. */
void smtpd__dispatch_schedule_all(struct smtpd_delivery *d);

/* Withdraw all jobs, when no thread runs any more: the spool, which owns them,
 * is closed before the schedule, whose destinations it has. */
void smtpd__dispatch_withdraw_all(struct smtpd_delivery *d);

/* Under the lock: schedule JOB unless it is scheduled, active, finished, held
 * or removed, and wake a worker for it. */
void smtpd__dispatch_insert(
    struct smtpd_delivery *d, struct smtpd_delivery_job *job);

/*
 * Under the lock: take a job, which is active then and its message pinned.  The
 * caller owns both, and a connection of *SITE, where it is to be tried.  If
 * *SITE is not NULL, it is for the caller's connection there.  NULL: there is
 * none.
 */
struct smtpd_delivery_job *smtpd__dispatch_take(
    struct smtpd_delivery *d, struct smtpd_site **site);

/* Under the lock: wake a worker if mail waits for one.  If a job of SITE, which
 * is not NULL, was put in, one that has a connection there is the first
 * choice. */
void smtpd__dispatch_wake_worker(
    struct smtpd_delivery *d, const struct smtpd_site *site);

/* Under the lock: the same, for a worker that is not there; return false if
 * none can be had though mail waits for one. */
bool smtpd__dispatch_get_spare_worker(struct smtpd_delivery *d);

/* Under the lock: wake the maintenance, as there may be something to do. */
void smtpd__dispatch_wake_maintenance(struct smtpd_delivery *d);

/* Worker M begins to wait for hosts, because of JOB or, if that is NULL, of
 * none; or it has stopped waiting.  Meanwhile it may be set aside when others
 * have mail to try. */
void smtpd__dispatch_begin_wait(struct smtpd_delivery *d,
    struct smtpd_pool_member *m, struct smtpd_delivery_job *job);
void smtpd__dispatch_end_wait(
    struct smtpd_delivery *d, struct smtpd_pool_member *m);

/* Under the lock: set aside the workers that have waited for too long, if mail
 * waits for one and none is free.  Return the time in which to look again, if
 * that is still so; else 0. */
uint32_t smtpd__dispatch_make_room(struct smtpd_delivery *d);

/* Under the lock: wake the workers for which there is something by now. */
void smtpd__dispatch_wake_due(struct smtpd_delivery *d);

/*
 * The functions below are for an attempt.  The caller owns JOB (active, its
 * message pinned) and, but for the overdue, a connection of *SITE.
 */

/* The site that the mail of a destination goes to. */
struct smtpd_site_entry {
	const char *name;
	struct smtpd_shaping_limits limits; /* that it is given */
	bool connected; /* the caller has an open connection of *SITE */

	/* Set to the limits that the attempt keeps there; 0: none. */
	uint32_t mails_max; /* transactions in a connection */
	uint32_t rcpts_max;
};

/*
 * Go with JOB to the site of ENTRY.  Return true if the caller is to try JOB
 * there.  Return false if it owns the job no more: the site is suspended or
 * full, or held by its limits, and JOB was put back; or it was handed over to a
 * worker that waits there with a connection.  *SITE is NULL then.
 */
bool smtpd__dispatch_enter_site(struct smtpd_delivery *d,
    struct smtpd_delivery_job *job, struct smtpd_site_entry *entry,
    struct smtpd_site **site);

/* The look-up of JOB's domain failed for now, by WHY: suspend the site NAME,
 * or, if that is NULL, the domain alone, whatever site it belonged to.  Return
 * until when, or 0. */
uint32_t smtpd__dispatch_suspend_domain(struct smtpd_delivery *d,
    struct smtpd_delivery_job *job, const char *name,
    const struct smtpd_result *why, struct smtpd_site **site);

/* Report how the attempt with RESULT at SITE went.  Return until when it is
 * suspended as unreachable, or 0.  *PAUSED: it takes no mail but a probe, since
 * that came too fast. */
uint32_t smtpd__dispatch_report_site(struct smtpd_delivery *d,
    struct smtpd_site *site, const struct smtpd_delivery_result *result,
    bool *paused);

/* What happened to a job that is returned. */
enum smtpd_dispatch_return {
	SMTPD_RETURN_TRIED,     /* it has its due time by a record */
	SMTPD_RETURN_UNTRIED,   /* it is the next one */
	SMTPD_RETURN_POSTPONED, /* trouble of our own: after retry_min */
};

/* Give up JOB and the pin: schedule it again, unless it is finished, held or
 * removed. */
void smtpd__dispatch_return(struct smtpd_delivery *d,
    struct smtpd_delivery_job *job, enum smtpd_dispatch_return how);
#endif
