/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_QUEUE_SCHEDULE_SCHEDULE_H
#define SMTPD_QUEUE_SCHEDULE_SCHEDULE_H

/*
 * Which job is tried when.  It opens nothing, reads no clock and takes no
 * lock: the caller does, so a test can let days pass.
 *
 * A destination is the domain of recipients.  A site is where its mail goes
 * to: destinations that share their mail hosts share a site; as long as nobody
 * has looked, a destination is a site of its own.
 *
 * - Sites with ready jobs are served in turn, within one its destinations,
 *   within one jobs that were never tried three times as often as others, each
 *   kind first in, first out.
 * - A site begins with two connections at a time, gets one more after as many
 *   successes in a row as it has, up to its limit and a quarter of all workers
 *   (one at least), and one less on each sign of trouble.
 * - A site that is down, or has too much of a single connection, is closed for
 *   a while that doubles each time, from retry_min to retry_max, give or take a
 *   tenth; then one connection probes it, until it is fine.  No other job of it
 *   costs anything, however many there are.
 * - Retries have at most half of the workers (one at least) while new mail
 *   waits.
 *
 * Each operation takes at most logarithmic time in the number of jobs, and as
 * much for each job or site whose time has come.  Times are seconds of the
 * queue's clock.
 *
 * A job is out until it is inserted.  Who took it and has it active does one
 * of three things with it at last: insert it again, put it back, or retire it.
 */

#include <smtpd/client.h>

#include <stdbool.h>
#include <stdint.h>

#include "queue/model/queued_message.h"

struct smtpd_schedule;
struct smtpd_destination;
struct smtpd_site;

/* All of them as given, no defaults. */
struct smtpd_schedule_settings {
	uint32_t workers;
	uint32_t site_connections;
	uint32_t retry_min;
	uint32_t retry_max;
	uint32_t lifetime; /* SMTPD_TIME_NONE: for ever; so the next two */
	uint32_t bounce_lifetime;
	uint32_t notice;
	uint64_t seed; /* for what is left to chance */
};

/* NULL without memory. */
struct smtpd_schedule *smtpd__schedule_create(
    const struct smtpd_schedule_settings *settings);

/* No destination may be in use, and no connection; NULL is fine. */
void smtpd__schedule_destroy(struct smtpd_schedule *s);

/* The destination DOMAIN, in lower case, with one reference more.  NULL
 * without memory. */
struct smtpd_destination *smtpd__schedule_destination(
    struct smtpd_schedule *s, const char *domain);

/* One reference less; one that nobody refers to is forgotten, and so is its
 * site, though not before it would be opened again. */
void smtpd__schedule_release(
    struct smtpd_schedule *s, struct smtpd_destination *d);

const char *smtpd__destination_name(const struct smtpd_destination *d);

/* The site it belongs to at present. */
struct smtpd_site *smtpd__schedule_site(const struct smtpd_destination *d);

/* Put in a job that is out or active, to be ready at its due time; it may be
 * neither held nor finished.  Return 0, or -1 without memory, which one that
 * was active never lacks. */
int smtpd__schedule_insert(
    struct smtpd_schedule *s, struct smtpd_delivery_job *job, uint32_t now);

/* Take a job out, unless it is active. */
void smtpd__schedule_withdraw(
    struct smtpd_schedule *s, struct smtpd_delivery_job *job);

/* A job that is active is not put in again for now, as it is finished, held or
 * removed: it is out. */
void smtpd__schedule_retire(
    struct smtpd_schedule *s, struct smtpd_delivery_job *job);

/*
 * The next job to be tried, now active, and in *SITE where: one of the
 * site's connections and one of the workers are the caller's until
 * smtpd__schedule_leave().  NULL: there is nothing to do now.
 */
struct smtpd_delivery_job *smtpd__schedule_take(
    struct smtpd_schedule *s, uint32_t now, struct smtpd_site **site);

/* Another job, now active, for who has a connection of SITE; NULL: none is
 * ready, or the site is closed, or has too many connections, or its retries
 * have to stand back for new mail elsewhere. */
struct smtpd_delivery_job *smtpd__schedule_take_more(
    struct smtpd_schedule *s, uint32_t now, struct smtpd_site *site);

/* Whether a job is ready for who has a connection of SITE. */
bool smtpd__schedule_has_more(
    struct smtpd_schedule *s, uint32_t now, const struct smtpd_site *site);

/* Put back a job that was taken but not tried: it is the next of its kind. */
void smtpd__schedule_put_back(
    struct smtpd_schedule *s, struct smtpd_delivery_job *job, uint32_t now);

/*
 * The mail of D goes to the site called NAME: it and all its jobs belong there
 * from now on, and the connection of *SITE that the caller has becomes one
 * of it.  NULL: to a site of its own, as before it was ever bound; so that
 * trouble in looking up one domain does not close what it shares with others.
 * Return false when that site is closed or has no room; then *SITE is left and
 * NULL, and the job is to be put back.  Also false without memory.
 */
bool smtpd__schedule_bind(struct smtpd_schedule *s, struct smtpd_destination *d,
    const char *name, uint32_t now, struct smtpd_site **site);

/* Whether some site has ready mail, and room, and only waits for a worker. */
bool smtpd__schedule_needs_worker(struct smtpd_schedule *s, uint32_t now);

/* How an attempt went, as to the site. */
enum smtpd_site_feedback {
	SMTPD_SITE_FINE, /* it spoke with us */
	SMTPD_SITE_BUSY, /* it had too much of us: 421 */
	SMTPD_SITE_DOWN, /* none of its hosts could be talked to */
};

/*
 * Tell how an attempt at SITE went; when that closes it, WHY, unless NULL, is
 * kept for those of its jobs that come to their end untried.  Of attempts that
 * began before it was closed only a fine one still counts.  Return when it is
 * open again: NOW, or later.
 */
uint32_t smtpd__site_feedback_report(struct smtpd_schedule *s,
    struct smtpd_site *site, enum smtpd_site_feedback verdict,
    const struct smtpd_result *why, uint32_t now);

/* Give up the connection. */
void smtpd__schedule_leave(
    struct smtpd_schedule *s, struct smtpd_site *site, uint32_t now);

/* When a job whose attempts, the present one included, were ATTEMPTS is tried
 * again: never later than its life ends, as one try is made then.  An in_doubt one
 * waits six times retry_min at least. */
uint32_t smtpd__schedule_retry(struct smtpd_schedule *s,
    const struct smtpd_delivery_job *job, uint16_t attempts, uint32_t now);

/* Whether its life is over. */
bool smtpd__schedule_is_expired(const struct smtpd_schedule *s,
    const struct smtpd_delivery_job *job, uint32_t now);

/* Whether the sender is to be told by now that it is delayed: not of what is
 * over. */
bool smtpd__schedule_wants_notice(const struct smtpd_schedule *s,
    const struct smtpd_delivery_job *job, uint32_t now);

/* When its life ends. */
uint32_t smtpd__schedule_expiry(
    const struct smtpd_schedule *s, const struct smtpd_delivery_job *job);

/*
 * A ready job whose site is closed or busy, and whose life is over, or whose
 * sender is to be told of the delay: now active, without a connection.
 * NULL: none.  Where a site is only busy, a job has retry_max after the end of
 * its life for its last try.
 */
struct smtpd_delivery_job *smtpd__schedule_overdue(
    struct smtpd_schedule *s, uint32_t now);

/* When to take or to ask for what is overdue again, if nothing else happens;
 * SMTPD_TIME_NONE: never. */
uint32_t smtpd__schedule_wake(const struct smtpd_schedule *s, uint32_t now);

/* Make a job that waits ready now, and open its site, if it was closed for one
 * connection until that is fine. */
void smtpd__schedule_flush(
    struct smtpd_schedule *s, struct smtpd_delivery_job *job, uint32_t now);

/* What is known of the site of D. */
struct smtpd_site_info {
	const char *name;
	uint32_t connections;
	uint32_t limit;                 /* of connections, at present */
	uint32_t failures;              /* in a row */
	uint32_t resumes_at;            /* when; a time gone by: it is open */
	const struct smtpd_result *why; /* it is closed; NULL */
};
void smtpd__destination_site_info(
    const struct smtpd_destination *d, struct smtpd_site_info *out);

#endif
