/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_JOURNAL_DISK_DISK_H
#define SMTPD_JOURNAL_DISK_DISK_H

/*
 * An append-only log of records in a directory, shared by many threads.  It
 * knows nothing of what the records mean.  doc/queue-format.md has the bytes.
 *
 * A record has a small head, which is given back at every start, and a body,
 * which is read only on demand.  What is appended is durable when the call
 * returns: the first thread that waits writes and syncs for all that wait, and
 * the next batch forms meanwhile.
 *
 * Records lie in segments, files of one size that are allocated in advance,
 * numbered from 1.  Each record is live until it is released.  Only the oldest
 * segment is ever recycled, once nothing in it is live: so a record that says
 * what became of an earlier one never vanishes before that one.
 *
 * One log at a time may be open for writing in a directory: the caller holds a
 * lock on it.  Any number may be open for reading beside it.
 *
 * smtpd__disk_walk(), smtpd__disk_prepare() and smtpd__disk_recycle() are for one
 * thread at a time, that of the housekeeping; any other function may be called
 * by any thread at any time between smtpd__disk_open() and smtpd__disk_close().
 */

#include <sys/uio.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct smtpd_disk;

/* How long a head may be; and how large all records of one call together, with
 * what smtpd__disk_size() says of each. */
#define SMTPD_DISK_HEAD_MAX  1048576
#define SMTPD_DISK_GROUP_MAX 4194304

/* Where a record lies.  Segment 0: nowhere. */
struct smtpd_disk_place {
	uint32_t segment;
	uint32_t offset;
};

/* A record without its body. */
struct smtpd_disk_record {
	uint64_t sequence; /* rises with each record */
	struct smtpd_disk_place place;
	uint32_t size; /* on disk, header and padding included */
	uint32_t head_len;
	uint32_t body_len;
	uint8_t type; /* as appended */
	const void *head;
};

/* A record to append. */
struct smtpd_disk_entry {
	uint8_t type; /* any value: the caller's */
	bool live;    /* until smtpd__disk_release() */
	const void *head;
	size_t head_len;
	const struct iovec *body; /* its pieces, one after the other */
	size_t body_count;
	/* Filled in by a successful append. */
	struct smtpd_disk_place place;
	uint32_t size; /* for smtpd__disk_release() */
	uint64_t sequence;
	uint32_t body_crc; /* the log's own */
};

/* 0 or NULL: the default. */
struct smtpd_disk_settings {
	/* Of new segments: a multiple of 4096 from 1 MiB to 1 GiB; 64 MiB. */
	uint32_t segment_size;

	/* What is kept back in the last segment for appends that are essential,
	 * at most a quarter of a segment; 4 MiB, or that quarter. */
	uint32_t reserve;

	/* Nothing is written, no lock is needed, and no append allowed. */
	bool read_only;

	/*
	 * Called by smtpd__disk_open() for each record, in the order of their
	 * sequence; the records of one append all or none.  The head is lent
	 * for the call.  The only function that may be called with LOG is
	 * smtpd__disk_release().  Return 1: the record is live; 0: it is not; -1:
	 * open fails, with the errno that is left there.  NULL: nothing is
	 * live.
	 */
	int (*replay)(void *user, struct smtpd_disk *log,
	    const struct smtpd_disk_record *record);

	/*
	 * Called by smtpd__disk_open(), smtpd__disk_walk() and smtpd__disk_prepare()
	 * with LEN bytes at OFFSET of a segment that are no record though one
	 * was kept there, and why.  A long range comes in several calls; LEN
	 * is 0 where the file ends too early or is missing.  The same range may
	 * be told of again at another start.  NULL: no matter.
	 */
	void (*damaged)(void *user, const char *segment_name, uint64_t offset,
	    const void *data, size_t len, const char *why);

	void *user;
};

/*
 * Open the log in the directory DIR_FD, which may be closed afterwards, and
 * replay what is there.  What a crash has left half written at the end is cut
 * off.  Return NULL with the reason in ERROR of SIZE bytes, and in errno.
 *
 * Beside a writer a reader may see records that are not durable yet.  It fails
 * with EAGAIN when segments were recycled while it read: the caller forgets
 * what was replayed and opens again.
 */
struct smtpd_disk *smtpd__disk_open(int dir_fd,
    const struct smtpd_disk_settings *settings, char *error, size_t size);

/* All appends have returned.  NULL: nothing happens. */
void smtpd__disk_close(struct smtpd_disk *log);

/* What a record of such a head and body takes on disk. */
uint64_t smtpd__disk_size(size_t head_len, uint64_t body_len);

/* May take what is kept in reserve. */
#define SMTPD_DISK_ESSENTIAL 1u

/*
 * Append N entries as one group: after a crash all of them are there, or none.
 * They are durable when it returns 0.  Else it returns -1 with errno:
 *   EFBIG   a head, or the group, is larger than allowed;
 *   ENOSPC  without SMTPD_DISK_ESSENTIAL: no more segments can be had, and what
 *           is left is the reserve; with it: nothing is left;
 *   EROFS   the log is read-only;
 *   ENOMEM; or what write, fdatasync or the making of a segment said.
 * After a failed write or sync a group may all the same be there at the next
 * start, when the process ends before it appends anything else.  No file is
 * written to again after that: the log goes on in a new segment.
 */
int smtpd__disk_append(struct smtpd_disk *log, struct smtpd_disk_entry *entries,
    size_t n, unsigned flags);

/* Write what was begun to be appended, if nobody does: for one who comes by now
 * and then, as who began it may be long in waiting for it. */
void smtpd__disk_append_flush(struct smtpd_disk *log);

/* A group on its way to stable storage.  What is in it is the log's. */
struct smtpd_disk_promise {
	struct smtpd_disk_promise *next;
	struct smtpd_disk_batch *batch;
	const struct smtpd_disk_entry *entries;
	size_t n;
	bool done;
	int error;
};

/*
 * The first half of smtpd__disk_append(): the entries have their place, before
 * whatever is appended later, but may yet be lost.  Return 0, or -1 with what
 * can go wrong before the write.  After 0 the entries and P must stay where
 * they are until smtpd__disk_append_end(), which must be called; by any thread.
 */
int smtpd__disk_append_begin(struct smtpd_disk *log,
    struct smtpd_disk_entry *entries, size_t n, unsigned flags,
    struct smtpd_disk_promise *p);

/* The second half: wait until they are durable.  Return as smtpd__disk_append(). */
int smtpd__disk_append_end(
    struct smtpd_disk *log, struct smtpd_disk_promise *p);

/*
 * Read the record at PLACE, which is live or in a segment not yet recycled.
 * Return its memory, which the caller frees: RECORD->head and BODY point into
 * it.  NULL with errno: EBADMSG when it is damaged, ENOENT when its segment is
 * gone, ENOMEM, EIO.
 */
void *smtpd__disk_read(struct smtpd_disk *log, struct smtpd_disk_place place,
    struct smtpd_disk_record *record, const void **body);

/* The SIZE bytes at PLACE as they are, be it a record or not, for who wants to
 * save what can be saved.  The caller frees them.  NULL with errno. */
void *smtpd__disk_read_raw(
    struct smtpd_disk *log, struct smtpd_disk_place place, uint32_t size);

/* The live record at PLACE, of SIZE bytes on disk, is needed no longer.  Once
 * for each record. */
void smtpd__disk_release(
    struct smtpd_disk *log, struct smtpd_disk_place place, uint32_t size);

/*
 * Call FN with each record of a sealed SEGMENT, without the body, in order,
 * until it returns another value than 0, which is returned.  The head is lent
 * for the call; FN may append, read and release.  -1 with errno on failure:
 * ENOENT when there is no such sealed segment.
 */
int smtpd__disk_walk(struct smtpd_disk *log, uint32_t segment,
    int (*fn)(void *user, const struct smtpd_disk_record *record), void *user);

/* The oldest sealed segment; 0: there is none. */
uint32_t smtpd__disk_oldest(struct smtpd_disk *log);

/*
 * Whether it is worth it to empty the oldest sealed segment: it has nothing
 * live, or more is dead in all sealed segments than is live in them and four
 * segments.  The caller walks it, appends anew what is live, releases the old
 * places, and calls smtpd__disk_recycle().  So at most about as much is copied
 * as was appended.
 */
bool smtpd__disk_wants_cleaning(struct smtpd_disk *log);

/* Recycle the oldest sealed segments as long as they have nothing live.
 * Return how many. */
unsigned smtpd__disk_recycle(struct smtpd_disk *log);

/*
 * What need not be done while somebody waits for an append: allocate a spare
 * segment when there is none, and write the index of one sealed segment that
 * has none.  Return 1 when there is more to do, 0 when not, -1 with errno when
 * something failed, which does no harm.  Cheap when there is nothing to do: to
 * be called every second or so, and after bursts.
 */
int smtpd__disk_prepare(struct smtpd_disk *log);

/* How many bytes appends that are not essential may still take without a new
 * segment being allocated. */
uint64_t smtpd__disk_append_room(struct smtpd_disk *log);

struct smtpd_disk_stats {
	/* Since it was opened: */
	uint64_t records;  /* appended */
	uint64_t bytes;    /* of these on disk */
	uint64_t syncs;    /* fdatasync() of records */
	uint64_t failures; /* writes and syncs that failed */
	/* Now: */
	uint64_t live_bytes;
	uint64_t live_records;
	uint32_t segments; /* the one that is appended to included */
	uint32_t spare;
};

void smtpd__disk_stats(struct smtpd_disk *log, struct smtpd_disk_stats *stats);

#endif
