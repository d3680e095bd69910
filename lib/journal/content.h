/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_JOURNAL_CONTENT_H
#define SMTPD_JOURNAL_CONTENT_H

/*
 * The other half of a store: contents that are too large for a record, each
 * under the id of its message, and what is set aside for the operator.
 *
 * Any thread may call any function, but one content at a time is written, and
 * read to its end, by one.
 */

#include <sys/types.h>

#include "journal/journal.h"

/* The beginning of what an engine makes for a content that is written, or
 * read. */
struct smtpd_content_writer {
	struct smtpd_journal *journal;
};

struct smtpd_content_reader {
	struct smtpd_journal *journal;
	uint64_t size; /* bytes */
};

/* Reads up to LEN bytes at OFFSET into BUF.  Returns how many, 0 at the end, or
 * -1 with errno. */
typedef ssize_t smtpd_content_read_fn(
    const void *user, uint64_t offset, void *buf, size_t len);

enum smtpd_content_kind {
	SMTPD_CONTENT_QUARANTINE,  /* a damaged record */
	SMTPD_CONTENT_DEAD_LETTER, /* a report that nobody takes */
};

/* Something to set aside. */
struct smtpd_content_kept {
	enum smtpd_content_kind kind;
	const char *name;            /* letters, digits and "-" */
	const char *why;             /* a sentence for the operator */
	smtpd_content_read_fn *read; /* NULL: there is only the reason */
	const void *user;
};

/* An engine's functions; those below call them, and say what they do. */
struct smtpd_content_ops {
	struct smtpd_content_writer *(*begin)(struct smtpd_journal *j);
	int (*write)(
	    struct smtpd_content_writer *w, const void *data, size_t len);
	int (*overwrite)(
	    struct smtpd_content_writer *w, const void *data, size_t len);
	ssize_t (*read_back)(const struct smtpd_content_writer *w,
	    uint64_t offset, void *buf, size_t len);
	int (*publish)(struct smtpd_content_writer *w, uint64_t id);
	void (*abandon)(struct smtpd_content_writer *w);
	struct smtpd_content_reader *(*open)(
	    struct smtpd_journal *j, uint64_t id);
	ssize_t (*read_at)(const struct smtpd_content_reader *r,
	    uint64_t offset, void *buf, size_t len);
	void (*close)(struct smtpd_content_reader *r);
	void (*remove)(struct smtpd_journal *j, uint64_t id);
	int (*each)(struct smtpd_journal *j, int (*fn)(void *user, uint64_t id),
	    void *user);
	int (*keep)(
	    struct smtpd_journal *j, const struct smtpd_content_kept *kept);
	int (*keep_large)(
	    struct smtpd_journal *j, uint64_t id, const char *why);
	uint64_t (*count_kept)(
	    struct smtpd_journal *j, enum smtpd_content_kind kind);
};

/* Begin a content.  NULL with errno. */
static inline struct smtpd_content_writer *
smtpd__content_begin(struct smtpd_journal *j)
{
	return j->contents->begin(j);
}

/* Append LEN bytes.  Return 0, or -1 with errno. */
static inline int
smtpd__content_write(
    struct smtpd_content_writer *w, const void *data, size_t len)
{
	return w->journal->contents->write(w, data, len);
}

/* Replace the first LEN bytes, which were written before.  Return 0, or -1 with
 * errno. */
static inline int
smtpd__content_overwrite(
    struct smtpd_content_writer *w, const void *data, size_t len)
{
	return w->journal->contents->overwrite(w, data, len);
}

/* Read up to LEN bytes at OFFSET of what was written.  Return how many, 0 at
 * the end, or -1 with errno. */
static inline ssize_t
smtpd__content_read_back(const struct smtpd_content_writer *w, uint64_t offset,
    void *buf, size_t len)
{
	return w->journal->contents->read_back(w, offset, buf, len);
}

/* Make the content durable as that of ID, and free W.  Return 0, or -1 with
 * errno, and the content is forgotten. */
static inline int
smtpd__content_publish(struct smtpd_content_writer *w, uint64_t id)
{
	return w->journal->contents->publish(w, id);
}

/* Forget a content that was not published; NULL: nothing happens. */
static inline void
smtpd__content_abandon(struct smtpd_content_writer *w)
{
	if (w != NULL)
		w->journal->contents->abandon(w);
}

/* Open the content of ID.  NULL with errno; EBADMSG: it is missing, or no
 * content. */
static inline struct smtpd_content_reader *
smtpd__content_open(struct smtpd_journal *j, uint64_t id)
{
	return j->contents->open(j, id);
}

/* Read up to LEN bytes at OFFSET.  Return how many, 0 at the end, or -1 with
 * errno.  Any thread. */
static inline ssize_t
smtpd__content_read_at(const struct smtpd_content_reader *r, uint64_t offset,
    void *buf, size_t len)
{
	return r->journal->contents->read_at(r, offset, buf, len);
}

static inline void
smtpd__content_close(struct smtpd_content_reader *r)
{
	if (r != NULL)
		r->journal->contents->close(r);
}

/* Remove the content of ID, if there is one. */
static inline void
smtpd__content_remove(struct smtpd_journal *j, uint64_t id)
{
	j->contents->remove(j, id);
}

/* Call FN with the id of each content, until it returns another value than 0,
 * which is returned; -1 with errno on failure.  FN may remove it. */
static inline int
smtpd__content_each(
    struct smtpd_journal *j, int (*fn)(void *user, uint64_t id), void *user)
{
	return j->contents->each(j, fn, user);
}

/* Set aside KEPT, durably.  What was set aside under that name stays as it is.
 * Return 0, or -1 with errno. */
static inline int
smtpd__content_keep(
    struct smtpd_journal *j, const struct smtpd_content_kept *kept)
{
	return j->contents->keep(j, kept);
}

/* Set aside the content of ID in quarantine, though it may be removed after
 * that; WHY is the reason, NULL: it stands elsewhere.  One that is missing is
 * fine.  Return 0, or -1 with errno. */
static inline int
smtpd__content_keep_large(struct smtpd_journal *j, uint64_t id, const char *why)
{
	return j->contents->keep_large(j, id, why);
}

/* How many things of KIND are set aside. */
static inline uint64_t
smtpd__content_count_kept(struct smtpd_journal *j, enum smtpd_content_kind kind)
{
	return j->contents->count_kept(j, kind);
}

#endif
