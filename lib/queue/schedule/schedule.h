/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_QUEUE_SCHEDULE_SCHEDULE_H
#define SMTPD_QUEUE_SCHEDULE_SCHEDULE_H

/*
 * Which job is tried when.  It opens nothing, reads no clock and takes no
 * lock: the caller does, so a test can let days pass.
 *
 * A destination is the domain of recipients.  A site is where its mail goes
 * to: destinations that share their mail hosts share a site; as long as nobody
 * has looked that up, a destination is a site of its own.
 *
 * - Sites with ready jobs are served in turn, within one its destinations,
 *   within one jobs that were never tried three times as often as others, each
 *   kind first in, first out.
 * - A site begins with two connections at a time, gets one more after as many
 *   successes in a row as it has, up to the limit of all sites and a quarter of
 *   all workers (one at least), or to one that was given for it and all
 *   workers; and one less on each sign of trouble.
 * - A site that is unreachable, or refuses even one connection, is suspended
 *   for a while (retry.h); then one connection probes it, until it is fine.  No
 *   other job of it costs anything, however many there are.  While new mail
 *   comes, it is probed again after the shortest wait.
 * - A site may have limits (shaping.h), given or learned: when it has had its
 *   messages of a second, it waits for the next one, and counts as busy.
 * - Retries have at most half of the workers (one at least) while new mail
 *   waits.
 * - An attempt that waits for a host may be set aside: it holds no worker then.
 *   Sites that did not answer the last time, or were slow, or were never asked,
 *   have at most half of all that are under way; they and the others are served
 *   in turn.
 *
 * Each operation takes at most logarithmic time in the number of jobs, and as
 * much for each job or site whose time has come.  Times are seconds of the
 * queue's clock.
 *
 * A job is out until it is inserted.  The worker that took a job must finally
 * insert it again, put it back, or retire it.
 */

#include <smtpd/client.h>

#include <stdbool.h>
#include <stdint.h>

#include "queue/model/queued_message.h"
#include "queue/schedule/destination.h"
#include "queue/schedule/retry.h"
#include "queue/schedule/site_feedback.h"

struct smtpd_schedule;

/* All of them as given, no defaults. */
struct smtpd_schedule_settings {
	uint32_t workers;
	uint32_t aside; /* attempts that may be set aside */
	uint32_t site_connections;
	struct smtpd_retry_rules retry;
	uint64_t seed; /* for what is left to chance */
};

/* NULL without memory. */
struct smtpd_schedule *smtpd__schedule_create(
    const struct smtpd_schedule_settings *settings);

/* No destination may be in use, and no connection; NULL is fine. */
void smtpd__schedule_destroy(struct smtpd_schedule *s);

/* Insert a job that is out or active, to be ready at its due time; it may be
 * neither held nor finished.  Return 0, or -1 without memory, which a job that
 * was active never lacks. */
int smtpd__schedule_insert(
    struct smtpd_schedule *s, struct smtpd_delivery_job *job, uint32_t now);

/* Take a job out, unless it is active. */
void smtpd__schedule_withdraw(
    struct smtpd_schedule *s, struct smtpd_delivery_job *job);

/* Have an active job out: it is finished, held or removed. */
void smtpd__schedule_retire(
    struct smtpd_schedule *s, struct smtpd_delivery_job *job);

/*
 * Take the next job to be tried, which is active then, and its site in *SITE:
 * one of the site's connections and one of the workers are the caller's until
 * smtpd__schedule_leave().  NULL: there is nothing to do now.
 */
struct smtpd_delivery_job *smtpd__schedule_take(
    struct smtpd_schedule *s, uint32_t now, struct smtpd_site **site);

/* Take another job for the caller's connection of SITE.  NULL: none is ready,
 * or the site is suspended, or has too many connections, or its retries have to
 * stand back for new mail elsewhere. */
struct smtpd_delivery_job *smtpd__schedule_take_more(
    struct smtpd_schedule *s, uint32_t now, struct smtpd_site *site);

/* Return true if smtpd__schedule_take_more() may have a job of SITE. */
bool smtpd__schedule_has_more(
    struct smtpd_schedule *s, uint32_t now, const struct smtpd_site *site);

/* Put back a job that was taken but not tried: it is the next of its kind. */
void smtpd__schedule_put_back(
    struct smtpd_schedule *s, struct smtpd_delivery_job *job, uint32_t now);

/* Return true if some site has ready mail and room, and only waits for a
 * worker. */
bool smtpd__schedule_needs_worker(struct smtpd_schedule *s, uint32_t now);

/* Return true if all workers are busy. */
bool smtpd__schedule_is_full(const struct smtpd_schedule *s);

/* Set aside an attempt at JOB, or NULL: its worker counts as free, so another
 * one may take a job.  A stranger gets one connection only from then on.
 * Return false if too many are. */
bool smtpd__schedule_set_aside(
    struct smtpd_schedule *s, struct smtpd_delivery_job *job);

/* One that was set aside is busy again, if need be beyond their number; it must
 * be before it takes more, binds or leaves. */
void smtpd__schedule_rejoin(struct smtpd_schedule *s);

/* Give up the connection. */
void smtpd__schedule_leave(
    struct smtpd_schedule *s, struct smtpd_site *site, uint32_t now);

/* Decide when JOB is tried again, by FACTS of its attempt (tried, cancelled,
 * in_doubt, site_resumes_at); the others are filled in here. */
struct smtpd_retry smtpd__schedule_retry(struct smtpd_schedule *s,
    const struct smtpd_delivery_job *job, struct smtpd_retry_facts *facts,
    uint32_t now);

/* Set the due time of JOB, which could not be tried by trouble of our own, to
 * that after a first attempt, whatever the number of its attempts. */
void smtpd__schedule_postpone(
    struct smtpd_schedule *s, struct smtpd_delivery_job *job, uint32_t now);

/*
 * Take a ready job that cannot be tried, as its site is suspended or busy, and
 * whose life is over, or whose sender is to be told of the delay: it is active
 * then, without a connection.  NULL: none.  Where a site is only busy, a job
 * has retry_max after the end of its life for its last try.
 */
struct smtpd_delivery_job *smtpd__schedule_overdue(
    struct smtpd_schedule *s, uint32_t now);

/* When to take a job, or one that is overdue, again, if nothing else happens;
 * SMTPD_TIME_NONE: never. */
uint32_t smtpd__schedule_next_time(
    const struct smtpd_schedule *s, uint32_t now);

/* Make a job that waits ready now, and resume its site, if it was suspended,
 * for one connection until that is fine. */
void smtpd__schedule_flush(
    struct smtpd_schedule *s, struct smtpd_delivery_job *job, uint32_t now);

#endif
