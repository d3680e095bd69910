/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_MAILDIR_TARGET_H
#define SMTPD_MAILDIR_TARGET_H

/*
 * The Maildirs that a message goes to: opened while they are used, and left out
 * when they fail and the others are to have it all the same.
 */

#include <smtpd/maildir.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "maildir/dirs.h"
#include "maildir/name.h"
#include "maildir/synced.h"

/* The buffer in the struct, which is enough for most messages. */
#define SMTPD_MAILDIR_START_SIZE 8192

/* One Maildir that the message goes to, and its copy there.  The directories of
 * the lead stay open, those of others only while they are used: a message holds
 * a few descriptors, however many recipients it has. */
struct smtpd_maildir_target {
	char *path; /* of the Maildir; its first root_len bytes are the root */
	size_t root_len;
	struct smtpd_maildir_dirs dirs; /* while they are used */
	size_t header;                  /* where its header is in the buffer */
	size_t header_len;
	bool staged;                        /* a file of ours is in tmp/ */
	bool published;                     /* or in new/ */
	bool dropped;                       /* it gets no copy */
	char name[SMTPD_MAILDIR_NAME_SIZE]; /* of that file, in either */
};

struct smtpd_maildir_message {
	struct smtpd_maildir_names *names;
	struct smtpd_maildir_synced *synced;
	int error;   /* the first errno, 0 so far */
	size_t lead; /* the target whose file the body is written to first */
	int spool;   /* that file while it is written, or -1 */

	smtpd_maildir_failed_fn *failed; /* NULL: a target fails for all */
	void *failed_user;

	struct smtpd_maildir_target *targets; /* of target_cap, at first &one */
	size_t ntargets;
	size_t target_cap;
	struct smtpd_maildir_target one;

	/* The headers of all targets, then the octets of the body that were not
	 * written yet, with LF line ends. */
	char *buf; /* of buf_size, at first start */
	size_t buf_size;
	size_t headers;   /* length of all headers */
	size_t body;      /* octets of the body in the buffer */
	uint64_t written; /* octets of the body in the spool */
	bool cr;          /* a CR waits for the octet that follows it */
	char start[SMTPD_MAILDIR_START_SIZE];
};

/* Open the directories of T, if they are not.  Return 0, or -1 with errno. */
int smtpd__maildir_target_enter(struct smtpd_maildir_target *t);

/* Close the directories of T, unless it is the lead of M; errno stays. */
void smtpd__maildir_target_leave(
    struct smtpd_maildir_message *m, struct smtpd_maildir_target *t);

/* Remove the copy of T, if there is one, and close its directories. */
void smtpd__maildir_target_remove(struct smtpd_maildir_target *t);

/* Leave target I out: no copy of it stays, except that of the lead while others
 * are made from it. */
void smtpd__maildir_target_drop(struct smtpd_maildir_message *m, size_t i);

/* Target I failed, for errno, which stays: ask whether the others are to have
 * the message, and leave it out then.  Return false when the message fails, or
 * is for no target any more. */
bool smtpd__maildir_target_spare(struct smtpd_maildir_message *m, size_t i);

/* Do STEP for each target that is not left out, with its directories open.
 * Return 0, or -1 with errno when the message fails. */
int smtpd__maildir_target_each(struct smtpd_maildir_message *m,
    int (*step)(struct smtpd_maildir_message *, struct smtpd_maildir_target *));

/* The first target that is not left out, or how many there are. */
size_t smtpd__maildir_target_first(const struct smtpd_maildir_message *m);

#endif
