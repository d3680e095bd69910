/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_QUEUE_SPOOL_SPOOL_H
#define SMTPD_QUEUE_SPOOL_SPOOL_H

/*
 * Messages as records of a journal: those that wait are in memory, with as
 * little as the schedule needs, and all else is read back when it is tried.
 * doc/queue-format.md has the records.
 *
 * Any number of threads may use a spool at a time; a job that is active
 * (queued_message.h) is changed only by the thread that has it.  Messages
 * belong to the spool: one is freed when all its jobs are finished or it was
 * removed, and nobody has it pinned.
 */

#include <smtpd/queue.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/logger.h"
#include "journal/journal.h"
#include "queue/model/loaded_message.h"
#include "queue/model/queued_message.h"
#include "queue/spool/add.h"
#include "queue/spool/check.h"
#include "queue/spool/clean.h"
#include "queue/spool/clock.h"
#include "queue/spool/content.h"
#include "queue/spool/history.h"
#include "queue/spool/load.h"
#include "queue/spool/progress.h"
#include "queue/spool/quarantine.h"
#include "queue/spool/state_change.h"

struct smtpd_spool;

/* The recipients of a job that comes to be: COUNT numbers of those of the
 * envelope. */
struct smtpd_spool_addressees {
	const struct smtpd_outgoing_envelope *envelope;
	const size_t *numbers;
	size_t count;
};

struct smtpd_spool_settings {
	bool read_only;        /* nothing is changed, nor locked */
	uint32_t segment_size; /* 0: the engine's default */

	/* The destination of mail to a domain in lower case, counted by
	 * references: called for each job of each message that comes to be, and
	 * RELEASE for each that ends.  MAIL: NULL while the spool is opened.
	 * NULL from DESTINATION: no memory. */
	struct smtpd_destination *(*destination)(void *user, const char *domain,
	    const struct smtpd_spool_addressees *mail);
	void (*release)(void *user, struct smtpd_destination *destination);

	/* MESSAGE, which is pinned for the call, is to be given up, as it
	 * cannot be read: end it by smtpd__state_change_quarantine(), with WHY,
	 * and take its jobs out of the schedule.  Return 0, or -1 if it stays.
	 * NULL: the spool ends it. */
	int (*lost)(
	    void *user, struct smtpd_queued_message *message, const char *why);
	void *user;

	struct smtpd_logger logger;
};

/*
 * Open the spool at LOCATION, which ENGINE understands, making what is missing
 * of it, and read it.  Destinations are made here, so their owner is there
 * before.  Return NULL with errno (EBUSY: another process has it; ENOTDIR: read
 * only, and there is no spool) and the reason in ERROR of SIZE bytes.
 */
struct smtpd_spool *smtpd__spool_open(const struct smtpd_journal_engine *engine,
    const char *location, const struct smtpd_spool_settings *settings,
    char *error, size_t size);

/* Close it; nobody uses it or a message of it, and no record that was begun
 * waits.  All destinations are released.  NULL is fine. */
void smtpd__spool_close(struct smtpd_spool *s);

/* Its journal, for the directory and the figures of that. */
struct smtpd_journal *smtpd__spool_journal(const struct smtpd_spool *s);

/* Where it logs. */
const struct smtpd_logger *smtpd__spool_logger(const struct smtpd_spool *s);

/* How many messages there are. */
uint64_t smtpd__spool_count(struct smtpd_spool *s);

/* The id for a message: WANTED, or, if that is 0, none that there can be, or
 * another message's, a new one: that of nothing before, and rising. */
uint64_t smtpd__spool_choose_id(struct smtpd_spool *s, uint64_t wanted);

/* The message of ID, pinned; NULL: there is none. */
struct smtpd_queued_message *smtpd__spool_find(
    struct smtpd_spool *s, uint64_t id);

/* The message with the least id above ID, pinned; NULL: there is none.  Begins
 * with 0. */
struct smtpd_queued_message *smtpd__spool_next(
    struct smtpd_spool *s, uint64_t id);

/* Pin MESSAGE once more.  A thread that took a job of it from the schedule
 * calls this before it releases the schedule's lock. */
void smtpd__spool_pin(
    struct smtpd_spool *s, struct smtpd_queued_message *message);

/* One pin less; the message may be gone after that.  It may call the settings'
 * release: so no lock is held that this takes. */
void smtpd__spool_unpin(
    struct smtpd_spool *s, struct smtpd_queued_message *message);

/*
 * Copy MESSAGE, which is pinned, with all that the spool changes, as of one
 * moment.  A thread that has none of its jobs looks at it in this way.  The
 * copy has nothing of what the schedule changes: its jobs are OUT, and due at
 * SMTPD_TIME_NONE.  The caller frees the copy and its finished.  Return NULL
 * without memory.
 */
struct smtpd_queued_message *smtpd__spool_copy(
    struct smtpd_spool *s, const struct smtpd_queued_message *message);

#endif
