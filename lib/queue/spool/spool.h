/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_QUEUE_SPOOL_SPOOL_H
#define SMTPD_QUEUE_SPOOL_SPOOL_H

/*
 * Messages on the log.  A directory with
 *
 *	lock         held by the process that has the spool open (flock)
 *	log/         the log (store/log.h)
 *	large/       contents of more than 64 KiB, one file each, named by id
 *	tmp/         such contents while they come in; emptied at start
 *	quarantine/  what was damaged, each with the reason in a file beside it
 *	dead/        bounces that bounced, likewise
 *
 * All but the log's own bytes is documented in doc/queue-format.md.
 *
 * Any number of threads may use a spool at a time; a job that is active
 * (message.h) is changed only by the thread that has it.  Entries belong to the
 * spool: one is freed when all its jobs are finished or it was removed, and
 * nobody has it pinned.
 *
 * The queue's clock counts the seconds that the queue was open.  It goes on
 * from where the log ends, plus the time since then on the wall clock, but no
 * more than a day and never less than nothing: so a clock that jumps makes no
 * mail old.  While the spool is open it follows CLOCK_BOOTTIME.
 */

#include <smtpd/queue.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "queue/model/loaded_message.h"
#include "queue/model/queued_message.h"

struct smtpd_spool;

struct smtpd_spool_settings {
	bool read_only;        /* nothing is changed, nor locked */
	uint32_t segment_size; /* 0: the log's default */

	/* The destination of a domain in lower case, counted by references:
	 * called for each job of each message that comes to be, and RELEASE
	 * for each that ends.  NULL from DESTINATION: no memory. */
	struct smtpd_destination *(*destination)(
	    void *user, const char *domain);
	void (*release)(void *user, struct smtpd_destination *destination);

	/* MESSAGE, which is pinned for the call, cannot be read and has ended,
	 * as smtpd__spool_clean() found out: take its jobs out of the
	 * schedule.  NULL: no matter. */
	void (*lost)(void *user, struct smtpd_queued_message *message);
	void *user;

	/* As in smtpd_queue_settings. */
	smtpd_log_fn *log;
	void *log_user;
	enum smtpd_log_level log_level;
};

/*
 * Open the spool in DIRECTORY, making what is missing of it, and read it.
 * Destinations are made here, so their owner is there before.
 * Return NULL with errno (EBUSY: another process has it; ENOTDIR: read only,
 * and there is no spool) and the reason in ERROR of SIZE bytes.
 */
struct smtpd_spool *smtpd__spool_open(const char *directory,
    const struct smtpd_spool_settings *settings, char *error, size_t size);

/* Close it; nobody uses it or an message of it.  All destinations are released.
 * NULL is fine. */
void smtpd__spool_close(struct smtpd_spool *s);

/* The queue's clock. */
uint32_t smtpd__spool_now(const struct smtpd_spool *s);

/* A moment of the queue's clock as milliseconds since 1970, for people. */
uint64_t smtpd__spool_wall_ms(const struct smtpd_spool *s, uint32_t when);

/* The descriptor of its directory: to look at the disk, and for what else is
 * in it. */
int smtpd__spool_directory(const struct smtpd_spool *s);

/* The log's figures. */
void smtpd__spool_stats(
    const struct smtpd_spool *s, struct smtpd_disk_stats *out);

/* How many messages there are. */
uint64_t smtpd__spool_count(struct smtpd_spool *s);

/*
 * The content of a message while it comes in: in memory up to 64 KiB, then in
 * a file in tmp/.
 */
struct smtpd_content;

/* Begin.  NULL without memory. */
struct smtpd_content *smtpd__content_create(struct smtpd_spool *s);

/* Append LEN bytes.  Return 0, or -1 with errno. */
int smtpd__content_write(struct smtpd_content *c, const void *data, size_t len);

/* How many there are so far. */
uint64_t smtpd__content_size(const struct smtpd_content *c);

/* Forget it, if it was not added; NULL is fine. */
void smtpd__content_destroy(struct smtpd_content *c);

/* A message to be added. */
struct smtpd_spool_mail {
	uint64_t id; /* wanted; 0, or one that is taken: a new one is made */
	const char *sender;
	const char *ret; /* NULL: none */
	const char *envid;
	const struct smtpd_outgoing_rcpt *rcpts; /* in any order; each has a
	                                          * domain */
	size_t nrcpts;
	unsigned flags;                /* of enum smtpd_message_flag */
	struct smtpd_content *content; /* destroyed in any case */
};

/* A new id: that of nothing before, and rising. */
uint64_t smtpd__spool_new_id(struct smtpd_spool *s);

/*
 * Add MAIL.  On 0 it is on stable storage, and *MESSAGE, whose jobs are out of
 * the schedule and due now, is pinned once: unpin it when they were scheduled.
 * Or -1 with errno: ENOSPC, ENOMEM, EINVAL (an address without a domain), EIO
 * and what else.
 */
int smtpd__spool_add(struct smtpd_spool *s, const struct smtpd_spool_mail *mail,
    struct smtpd_queued_message **message);

/* What came of one recipient in an attempt. */
struct smtpd_rcpt_progress {
	uint32_t rcpt;  /* its number in the message */
	bool finished;  /* sent, or given up: never to be tried again */
	char host[256]; /* that said so; "" when none was reached */
	struct smtpd_result result;
};

/* The end of an attempt. */
struct smtpd_progress {
	struct smtpd_delivery_job *job;
	const struct smtpd_rcpt_progress *rcpts; /* that were not finished */
	size_t nrcpts;
	uint32_t due; /* when it is tried again, if any is left */
	uint16_t attempts;
	bool delay_notice_sent;
	bool in_doubt;
	const char *history; /* what was done, as lines of text */
	size_t history_len;

	/* A report to the sender, which is added in the same commit; NULL:
	 * none.  Its content is destroyed in any case. */
	const struct smtpd_spool_mail *report;
};

/*
 * Record P and change its job accordingly; the space that is kept in reserve
 * may be used.  *REPORT is the message of the report, pinned as by
 * smtpd__spool_add(), or NULL.  Return 0, or -1 with errno, and nothing is
 * changed.
 */
int smtpd__spool_progress(struct smtpd_spool *s, const struct smtpd_progress *p,
    struct smtpd_queued_message **report);

/*
 * A record that ends a message, but may not be on stable storage yet: a crash
 * may forget it, and have the message tried once more.
 */
struct smtpd_pending_commit;

/*
 * As smtpd__spool_progress() for what finishes all that is left of a job, and
 * has no report, but without waiting for the disk: *NOTE is to be waited for,
 * soon, or NULL when there is nothing to wait for.  Return 0, or -1 with errno,
 * and nothing is changed.
 */
int smtpd__spool_progress_begin(struct smtpd_spool *s,
    const struct smtpd_progress *p, struct smtpd_pending_commit **note);

/* Wait until NOTE is on stable storage, and free it.  Or return -1 with errno:
 * it is not, and may be waited for again. */
int smtpd__pending_commit_wait(struct smtpd_pending_commit *note);

/* Free one that could not be brought to stable storage. */
void smtpd__pending_commit_abandon(struct smtpd_pending_commit *note);

/* Hold an message or release it.  Return 0, or -1 with errno. */
int smtpd__spool_hold(
    struct smtpd_spool *s, struct smtpd_queued_message *message, bool hold);

/*
 * End an message that somebody has pinned, whatever is unfinished: REMOVED is
 * set at once, and no further progress of it is recorded.  Return 0, or -1
 * with errno.
 */
int smtpd__spool_remove(
    struct smtpd_spool *s, struct smtpd_queued_message *message);

/* End an message that cannot be read: what there is of it goes to quarantine/,
 * with WHY beside it.  As smtpd__spool_remove(). */
int smtpd__spool_quarantine(struct smtpd_spool *s,
    struct smtpd_queued_message *message, const char *why);

/* Write LOADED to dead/ with WHY beside it.  Durable on 0; -1 with errno. */
int smtpd__spool_quarantine_dead_letter(struct smtpd_spool *s,
    const struct smtpd_loaded_message *loaded, const char *why);

/* The message of ID, pinned; NULL: there is none. */
struct smtpd_queued_message *smtpd__spool_find(
    struct smtpd_spool *s, uint64_t id);

/* The message with the least id above ID, pinned; NULL: there is none.  Begins
 * with 0. */
struct smtpd_queued_message *smtpd__spool_next(
    struct smtpd_spool *s, uint64_t id);

/* One pin more for MESSAGE: by who has a job of it from the schedule, before he
 * gives up the schedule's lock. */
void smtpd__spool_pin(
    struct smtpd_spool *s, struct smtpd_queued_message *message);

/* The flags of MESSAGE, of enum smtpd_message_flag, at this moment. */
unsigned smtpd__spool_flags(
    struct smtpd_spool *s, const struct smtpd_queued_message *message);

/* One pin less; the message may be gone after that.  It may call the settings'
 * release: so no lock is held that this takes. */
void smtpd__spool_unpin(
    struct smtpd_spool *s, struct smtpd_queued_message *message);

/*
 * A copy of MESSAGE, which is pinned, with all that the spool changes, as of one
 * moment: for one who has none of its jobs.  What the schedule changes is not
 * in it: its jobs are OUT, and due at SMTPD_TIME_NONE.  The caller frees it and
 * its finished.  NULL without memory.
 */
struct smtpd_queued_message *smtpd__spool_copy(
    struct smtpd_spool *s, const struct smtpd_queued_message *message);

/* Read the message of MESSAGE, which is pinned.  Return 0, or -1 with errno:
 * EBADMSG when it is damaged, ENOENT when it has ended. */
int smtpd__spool_load(struct smtpd_spool *s,
    const struct smtpd_queued_message *message,
    struct smtpd_loaded_message *loaded);

/* Read all histories of JOB, oldest first, to WRITE; the oldest part may have been
 * left out.  Return 0, or -1 with errno.  The message is pinned. */
int smtpd__spool_history(struct smtpd_spool *s,
    const struct smtpd_delivery_job *job, smtpd_write_fn *write, void *user);

/* What came of the recipients of JOB in its last attempt: an array of *COUNT
 * that the caller frees, NULL and 0 when there was none.  Return 0, or -1
 * with errno. */
int smtpd__spool_results(struct smtpd_spool *s,
    const struct smtpd_delivery_job *job, struct smtpd_rcpt_progress **results,
    size_t *count);

/*
 * Do a step of what keeps the log small: write anew what still lives in the
 * oldest segment, recycle it, allocate a spare.  Return whether there is more
 * to do at once.  One thread.
 */
bool smtpd__spool_clean(struct smtpd_spool *s);

/* What smtpd__spool_check() found. */
struct smtpd_spool_damage {
	uint64_t messages;   /* that are whole */
	uint64_t damaged;    /* that are not, and pieces of the log */
	uint64_t quarantine; /* files in quarantine/, reasons not counted */
};

/* Read every message there is, telling of each that is damaged by a line to
 * WRITE. */
int smtpd__spool_check(struct smtpd_spool *s, struct smtpd_spool_damage *out,
    smtpd_write_fn *write, void *user);

#endif
