/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_MAILDIR_H
#define SMTPD_MAILDIR_H

/*
 * Delivery into Maildirs: a message is written to tmp/ while it arrives, made
 * durable, moved to new/ by rename, and that made durable too.  Several
 * mailboxes get it together or not at all, unless those that fail are left out.
 */

#include <smtpd/version.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The state that all deliveries of a process share: opaque. */
struct smtpd_maildir;

/* One message on its way into one or more Maildirs: opaque. */
struct smtpd_maildir_message;

/* The settings of a struct smtpd_maildir; zero or NULL means the default beside
 * each. */
struct smtpd_maildir_settings {
	size_t size; /* SMTPD_MAILDIR_SETTINGS_INIT */

	/* The name of this host, in the names of files: "/", ":", ",", "\",
	 * space and control bytes in it are written as \ooo, and what would
	 * make a name over 255 bytes is cut off.  Default: that of the
	 * machine. */
	const char *hostname;

	/* A directory on the disk where the Maildirs are, and how many octets
	 * smtpd_maildir_has_room() keeps free there.  Defaults: the disk is
	 * not looked at; a twentieth of it, but 64 MiB at least. */
	const char *root;
	uint64_t min_free;
};

#define SMTPD_MAILDIR_SETTINGS_INIT SMTPD_INIT(smtpd_maildir_settings)

/*
 * Make the object that all deliveries of a process share, with a copy of
 * SETTINGS (NULL: all defaults).  It gives out unique file names,
 * seconds.M<usec>P<pid>Q<counter>.<hostname>,S=<size>, the counter guarded by a
 * POSIX semaphore.  One is enough for a process and all its threads.  Return
 * NULL with errno: EINVAL for a host name that is empty or over 255 bytes,
 * ENOMEM, or the reason why the root cannot be opened.  Since 0.1; with
 * settings since 0.2.
 */
SMTPD_API struct smtpd_maildir *smtpd_maildir_create(
    const struct smtpd_maildir_settings *settings);

/* Free it; all its messages must be ended.  NULL is fine.  Since 0.1. */
SMTPD_API void smtpd_maildir_destroy(struct smtpd_maildir *md);

/* Whether there is room for a message of SIZE octets on the disk of the root:
 * a disk that cannot be looked at, or has a twentieth of its inodes or less
 * left, has none.  It is looked at once a second.  Any thread.  Since 0.2. */
SMTPD_API bool smtpd_maildir_has_room(struct smtpd_maildir *md, uint64_t size);

/*
 * Make the Maildir PATH with its tmp, new and cur (mode 0700), and the
 * directories above it, as far as they are missing.  All of it is durable on
 * return.
 *
 * Here and below, the first ROOT_LEN bytes of PATH are a directory that must
 * exist and that only root and the user of the process can change; 0 stands for
 * "/", or for where the process is when PATH is relative.  What comes after
 * need not be trusted: no symbolic link is followed there, and each directory,
 * tmp, new and cur included, must belong to the user of the process or to root.
 *
 * Return 0, or -1 with errno: ELOOP for a link, EPERM for a directory of
 * another user.  Any thread.  Since 0.1.
 */
SMTPD_API int smtpd_maildir_make(const char *path, size_t root_len);

/*
 * Find out whether a message of SIZE octets (0: unknown) could be delivered
 * into the Maildir PATH now: whether it is there and whole, can be written to,
 * and has room on its disk; a quota of the file system on a directory tree
 * counts as a disk of that size.  Nothing is written.  For the answer to RCPT,
 * so that a mailbox in trouble does not hold up the mail of others.
 * Return 0, or -1 with errno: ENOENT when it, or a part of it, does not exist,
 * ENOSPC, EROFS, EACCES, or as smtpd_maildir_make().  Any thread.  Since 0.2.
 */
SMTPD_API int smtpd_maildir_check(
    const char *path, size_t root_len, uint64_t size);

/*
 * Set *OCTETS to the sum of the sizes of all messages in new/ and cur/ of the
 * Maildir PATH and of its folders, the directories in it that begin with a dot
 * (Maildir++), by the ",S=" in their names, or else by the files.  For a quota.
 * Return 0, or -1 with errno as smtpd_maildir_make().  Any thread.  Since 0.2.
 */
SMTPD_API int smtpd_maildir_usage(
    const char *path, size_t root_len, uint64_t *octets);

/*
 * Begin a message that smtpd_maildir_commit() or smtpd_maildir_abort() must
 * end.  Return NULL with errno ENOMEM.  A message is used by one thread at a
 * time, different ones by any.  Since 0.1.
 */
SMTPD_API struct smtpd_maildir_message *smtpd_maildir_begin(
    struct smtpd_maildir *md);

/*
 * Add the Maildir PATH, which must exist, as a target, with LEN bytes at HEADER
 * to stand above the message there (CRLF or LF lines, copied).  Before the
 * first smtpd_maildir_write().  Return 0, or -1 with errno (ENOENT: the Maildir
 * does not exist, or not all of it yet; else as smtpd_maildir_make()), after
 * which M is as it was before.  A message holds a few descriptors, whatever the
 * number of its targets.  Since 0.1; with ROOT_LEN since 0.2.
 */
SMTPD_API int smtpd_maildir_add(struct smtpd_maildir_message *m,
    const char *path, size_t root_len, const char *header, size_t len);

/*
 * Asked when the target I of a message, counted from 0 in the order in which
 * they were added, has failed for ERROR, an errno: while the message is written
 * or committed.  Return true to leave it out and go on for the others; false
 * fails the message for all.
 */
typedef bool smtpd_maildir_failed_fn(void *user, size_t i, int error);

/* Set that for M, before the first smtpd_maildir_write().  Without it each
 * failure is one of the message.  Since 0.2. */
SMTPD_API void smtpd_maildir_set_failed(struct smtpd_maildir_message *m,
    smtpd_maildir_failed_fn *failed, void *user);

/* Leave target I out: it gets no copy, and one that it has is removed.  Also
 * while FAILED asks.  With no target left M can only be aborted.  Since 0.2. */
SMTPD_API void smtpd_maildir_drop(struct smtpd_maildir_message *m, size_t i);

/* How many octets the file of target I has, or will have, by what was written
 * so far; 0 where there is none.  Since 0.2. */
SMTPD_API uint64_t smtpd_maildir_size(
    const struct smtpd_maildir_message *m, size_t i);

/*
 * Append LEN bytes at DATA to every target; CRLF is stored as LF, also when
 * it is split between two calls.  Return 0 or -1 with errno (ENOSPC, EDQUOT,
 * EIO), after which the message can only be aborted.  Since 0.1.
 */
SMTPD_API int smtpd_maildir_write(
    struct smtpd_maildir_message *m, const void *data, size_t len);

/*
 * Make every copy durable, move all to new/, make that durable, and free M.
 * Return 0 when all of this is done, for all targets that were not left out.
 * Return -1 with errno when any of it failed, or no target is left: then no
 * copy is left in new/, and nothing in tmp/.  No file is ever overwritten.
 * Since 0.1.
 */
SMTPD_API int smtpd_maildir_commit(struct smtpd_maildir_message *m);

/* Remove every copy and free M; NULL is fine.  Since 0.1. */
SMTPD_API void smtpd_maildir_abort(struct smtpd_maildir_message *m);

/*
 * Remove from tmp/ of the Maildir PATH the files that a crash left there: those
 * with a name of this library that nobody has changed since BEFORE_S (seconds
 * since 1970).  The file of a delivery under way is younger than 36 hours.
 * Return how many were removed, or -1 with errno as smtpd_maildir_make().  Any
 * thread.  Since 0.1; with ROOT_LEN since 0.2.
 */
SMTPD_API ssize_t smtpd_maildir_clean(
    const char *path, size_t root_len, int64_t before_s);

#ifdef __cplusplus
}
#endif

#endif
