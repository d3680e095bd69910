/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_JOURNAL_JOURNAL_H
#define SMTPD_JOURNAL_JOURNAL_H

/*
 * What the queue asks of a store of records, whichever engine keeps them:
 * append, read back, release, replay.  content.h has the rest of a store.
 *
 * A record has a small head, which is given back at every start, and a body,
 * which is read only on demand.  What a head or body means is the caller's
 * business.  Records of one subject are replayed in the order in which they
 * were appended.  A live record is kept until it is released, or until a record
 * that ends its subject is durable.
 *
 * Any thread may call any function at any time after smtpd__journal_replay(),
 * but for smtpd__journal_housekeep() and
 * smtpd__journal_is_due_for_relocation(), which are for one thread at a time.
 */

#include <sys/uio.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct smtpd_content_ops;
struct smtpd_journal;

/* How long a head may be, and all records of one append together. */
#define SMTPD_JOURNAL_HEAD_MAX  1048576
#define SMTPD_JOURNAL_GROUP_MAX 4194304

/* What a record takes at most besides its head and body. */
#define SMTPD_JOURNAL_OVERHEAD 48

/* Where a record is; 0 is nowhere.  Only the engine that gave it can read
 * it. */
struct smtpd_record_ref {
	uint64_t value;
};

/* A record: to append, or as it is read back. */
struct smtpd_journal_record {
	uint64_t subject;               /* a message's id; 0: none */
	struct smtpd_record_ref beside; /* the record of that message; 0: this
	                                 * is it, or there is none */
	bool ends;    /* nothing of the subject is needed once this is durable:
	               * a hint, which may be missing */
	bool live;    /* until smtpd__journal_release() */
	uint8_t type; /* any value: the caller's */
	const void *head;
	size_t head_len;

	/* To append: the pieces of its body, one after the other. */
	const struct iovec *body;
	size_t body_count;

	/* Filled in by append, read and replay; what stands above is, when read
	 * back, but for subject, beside, ends, live and the body. */
	struct smtpd_record_ref ref;
	uint64_t sequence; /* rises with each record of a journal */
	uint32_t size;     /* for smtpd__journal_release() */
	uint32_t body_len;
	uint32_t body_crc; /* the engine's own */
};

/* A group on its way to stable storage.  What is in it is the engine's. */
struct smtpd_journal_promise {
	struct smtpd_journal_promise *next;
	void *batch;
	const struct smtpd_journal_record *records;
	size_t count;
	bool begun; /* it was not waited for at once */
	bool done;
	int error;
};

/* A part of a journal that is no record though one was kept there.  A long one
 * is reported in pieces, and the same one may be reported again at another
 * start. */
struct smtpd_journal_damage {
	const char *where; /* the name of a file, or the like */
	uint64_t offset;   /* in it */
	uint64_t len;      /* 0: it ends too early, or is missing */
	const char *why;
	int error; /* an errno: it could not be set aside; 0: it could, or need
	            * not be */
};

/* What could be read of the bytes of a record. */
struct smtpd_journal_raw {
	uint32_t sound;   /* bytes before the first that could not be */
	uint32_t missing; /* bytes that could not be, and are zeros */
	/* What they say, as smtpd__journal_read() would, if its head is
	 * intact; its body need not be.  size 0: it is not. */
	struct smtpd_journal_record record;
	const void *body;
};

struct smtpd_journal_settings {
	/* Nothing is changed, nor locked, and no append allowed. */
	bool read_only;

	/* Of an engine that has segments, in bytes; 0: its default. */
	uint32_t segment_size;

	/* Called when damage is found, by a thread that opens, replays or
	 * keeps house.  NULL: not called. */
	void (*damaged)(void *user, const struct smtpd_journal_damage *damage);

	/* The engine has lost the right to append, for good: another process
	 * has the journal now.  Called once, by any thread.  Engines with a
	 * lock of their own never call it.  NULL: not called. */
	void (*lost)(void *user);

	void *user;
};

/* Receives one record of a replay; its head is lent for the call.  The only
 * function of the journal that may be called meanwhile is
 * smtpd__journal_release().  Return 1 if the record is live, 0 if not, or -1
 * with errno to end the replay. */
typedef int smtpd_journal_replay_fn(
    void *user, const struct smtpd_journal_record *record);

struct smtpd_journal_stats {
	/* Since it was opened: */
	uint64_t records;  /* appended */
	uint64_t bytes;    /* of these in the store */
	uint64_t syncs;    /* commits of records, of one or many groups */
	uint64_t failures; /* commits that failed */
	/* Now: */
	uint64_t live_bytes;
	uint64_t live_records;
	uint64_t room;     /* bytes that can be appended without an allocation,
	                    * what is kept in reserve left alone */
	uint64_t size;     /* of all that it keeps, dead records too */
	uint32_t segments; /* 0: the engine has none */
	uint32_t spares;   /* segments that are allocated ahead */
};

/* Flags of append: it may use the space that is kept in reserve; or that which
 * is kept for relocation alone, as it wins space back. */
#define SMTPD_JOURNAL_ESSENTIAL  1u
#define SMTPD_JOURNAL_RELOCATION 2u

/* What smtpd__journal_housekeep() returns, or some of them. */
#define SMTPD_JOURNAL_AGAIN 1 /* there is more to do at once */
#define SMTPD_JOURNAL_DUE   2 /* some records are due for relocation */
#define SMTPD_JOURNAL_TIGHT 4 /* no more space can be had */

/* An engine's functions; those below call them, and say what they do. */
struct smtpd_journal_ops {
	int (*replay)(struct smtpd_journal *j, smtpd_journal_replay_fn *fn,
	    void *user, char *error, size_t size);
	/* An engine says ECONNABORTED when it does not know what came of a
	 * commit; it is then asked for the first record by read, which waits
	 * for the store as long as that makes sense. */
	int (*append)(struct smtpd_journal *j,
	    struct smtpd_journal_record *records, size_t n, unsigned flags);
	int (*append_begin)(struct smtpd_journal *j,
	    struct smtpd_journal_record *records, size_t n, unsigned flags,
	    struct smtpd_journal_promise *promise);
	int (*append_end)(
	    struct smtpd_journal *j, struct smtpd_journal_promise *promise);
	void *(*read)(struct smtpd_journal *j, struct smtpd_record_ref ref,
	    size_t body_max, struct smtpd_journal_record *record,
	    const void **body);
	void *(*read_raw)(struct smtpd_journal *j, struct smtpd_record_ref ref,
	    uint32_t size, struct smtpd_journal_raw *raw);
	void (*release)(struct smtpd_journal *j, uint64_t subject,
	    struct smtpd_record_ref ref, uint32_t size);
	bool (*is_due_for_relocation)(
	    struct smtpd_journal *j, struct smtpd_record_ref ref);
	int (*housekeep)(struct smtpd_journal *j);
	int (*directory)(struct smtpd_journal *j);
	void (*stats)(struct smtpd_journal *j, struct smtpd_journal_stats *out);
	void (*close)(struct smtpd_journal *j);
};

/* The beginning of what an engine opens. */
struct smtpd_journal {
	const struct smtpd_journal_ops *ops;
	const struct smtpd_content_ops *contents;
	uint32_t group_max; /* bytes of one append, overheads included */
};

struct smtpd_journal_engine {
	struct smtpd_journal *(*open)(const char *location,
	    const struct smtpd_journal_settings *settings, char *error,
	    size_t size);
};

/*
 * Open the journal at LOCATION, whatever that is to the engine.  It must be
 * replayed before anything else.  NULL with errno (EBUSY: another process has
 * it; ENOTDIR: read-only, and there is none) and a sentence in ERROR of SIZE
 * bytes.
 */
static inline struct smtpd_journal *
smtpd__journal_open(const struct smtpd_journal_engine *engine,
    const char *location, const struct smtpd_journal_settings *settings,
    char *error, size_t size)
{
	return engine->open(location, settings, error, size);
}

/* Close it; all appends have returned.  NULL: nothing happens. */
static inline void
smtpd__journal_close(struct smtpd_journal *j)
{
	if (j != NULL)
		j->ops->close(j);
}

/*
 * Give each record to FN, in the order of their sequence; the records of one
 * append all or none.  Return 0; or -1 with errno and a sentence in ERROR of
 * SIZE bytes.  EAGAIN: a writer beside a read-only journal was in the way; the
 * caller forgets what was replayed, and may call it again.
 */
static inline int
smtpd__journal_replay(struct smtpd_journal *j, smtpd_journal_replay_fn *fn,
    void *user, char *error, size_t size)
{
	return j->ops->replay(j, fn, user, error, size);
}

/*
 * Append N records as one group: after a crash all of them are there, or none.
 * They are durable when it returns 0.  Else it returns -1 with errno:
 *   EFBIG   a head, or the group, is larger than allowed;
 *   ENOSPC  no more space can be had, but for the reserve; with
 *           SMTPD_JOURNAL_ESSENTIAL: nothing is left of that;
 *   EROFS   the journal is read-only;
 *   ECONNABORTED  the connection to a store elsewhere broke while it committed,
 *           and the store could not be asked what came of it: they may be
 *           there;
 *   ENOMEM; or what the store said.
 * After a failure a group may all the same be there at the next start, when the
 * power goes before anything else is appended.
 */
int smtpd__journal_append(struct smtpd_journal *j,
    struct smtpd_journal_record *records, size_t n, unsigned flags);

/*
 * The first half of smtpd__journal_append(), which does not wait for the disk:
 * the records have their ref, before whatever is appended later, can be read,
 * and are not lost by a kill, but may yet be by a power cut.  The commit of
 * anything that is appended later makes them durable as well.  Return 0, or -1
 * with what can go wrong before the commit.  After 0 the records and PROMISE
 * must stay where they are until smtpd__journal_append_end(), which must be
 * called, by any thread.
 */
static inline int
smtpd__journal_append_begin(struct smtpd_journal *j,
    struct smtpd_journal_record *records, size_t n, unsigned flags,
    struct smtpd_journal_promise *promise)
{
	return j->ops->append_begin(j, records, n, flags, promise);
}

/* The second half: wait until they are durable.  Return as
 * smtpd__journal_append(). */
int smtpd__journal_append_end(
    struct smtpd_journal *j, struct smtpd_journal_promise *promise);

/*
 * Read the record at REF, which is live, or dead and not yet removed.  Return
 * its memory, which the caller frees: RECORD->head and BODY point into it.
 * NULL with errno: EBADMSG when it is damaged, ENOENT when it is gone, ENOMEM,
 * EIO.
 */
static inline void *
smtpd__journal_read(struct smtpd_journal *j, struct smtpd_record_ref ref,
    struct smtpd_journal_record *record, const void **body)
{
	return j->ops->read(j, ref, SIZE_MAX, record, body);
}

/* The same, but of the body no more than the first BODY_MAX bytes are read: if
 * it is longer, as RECORD->body_len says, they were not checked. */
static inline void *
smtpd__journal_read_front(struct smtpd_journal *j, struct smtpd_record_ref ref,
    size_t body_max, struct smtpd_journal_record *record, const void **body)
{
	return j->ops->read(j, ref, body_max, record, body);
}

/* Read the SIZE bytes at REF as they are, be it a record or not, to save what
 * can be saved: RAW says what that is.  The caller frees them.  NULL with
 * errno: nothing can. */
static inline void *
smtpd__journal_read_raw(struct smtpd_journal *j, struct smtpd_record_ref ref,
    uint32_t size, struct smtpd_journal_raw *raw)
{
	return j->ops->read_raw(j, ref, size, raw);
}

/* The live record of SUBJECT at REF, whose size is SIZE, is not needed any
 * more.  Call it once for each record. */
static inline void
smtpd__journal_release(struct smtpd_journal *j, uint64_t subject,
    struct smtpd_record_ref ref, uint32_t size)
{
	j->ops->release(j, subject, ref, size);
}

/* Return true if the record at REF stands where space is to be won: the caller
 * appends it anew, and releases it.  The answer holds until the next
 * smtpd__journal_housekeep(). */
static inline bool
smtpd__journal_is_due_for_relocation(
    struct smtpd_journal *j, struct smtpd_record_ref ref)
{
	return j->ops->is_due_for_relocation(j, ref);
}

/*
 * Do what need not be done while somebody waits for an append: commit what was
 * begun and nobody waits for, allocate space ahead, win space back.  Return
 * flags, SMTPD_JOURNAL_AGAIN or SMTPD_JOURNAL_DUE; a failure does no harm, and
 * is tried again.  Cheap when there is nothing to do: call it every second or
 * so, and after bursts.
 */
static inline int
smtpd__journal_housekeep(struct smtpd_journal *j)
{
	return j->ops->housekeep(j);
}

/* A descriptor of the local directory that belongs to the journal, for what
 * else is kept there, and to look at the disk; -1: there is none. */
static inline int
smtpd__journal_directory(struct smtpd_journal *j)
{
	return j->ops->directory(j);
}

static inline void
smtpd__journal_stats(struct smtpd_journal *j, struct smtpd_journal_stats *out)
{
	j->ops->stats(j, out);
}

#endif
