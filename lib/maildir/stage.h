/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_MAILDIR_STAGE_H
#define SMTPD_MAILDIR_STAGE_H

/*
 * Staging: a message, from its buffer in memory to a complete and durable copy
 * in tmp/ of each Maildir that it goes to.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "maildir/dirs.h"
#include "maildir/name.h"
#include "maildir/synced.h"

/* The buffer in the struct, which is enough for most messages. */
#define SMTPD_MAILDIR_START_SIZE 8192

/* One Maildir that the message goes to, and its copy there.  The directories of
 * the first stay open, those of others only while they are used: a message
 * holds a few descriptors, however many recipients it has. */
struct smtpd_maildir_target {
	char *path; /* of the Maildir; its first root_len bytes are the root */
	size_t root_len;
	struct smtpd_maildir_dirs dirs; /* while they are used */
	size_t header;                  /* where its header is in the buffer */
	size_t header_len;
	bool staged;                        /* a file of ours is in tmp/ */
	bool published;                     /* or in new/ */
	char name[SMTPD_MAILDIR_NAME_SIZE]; /* of that file, in either */
};

struct smtpd_maildir_message {
	struct smtpd_maildir_names *names;
	struct smtpd_maildir_synced *synced;
	int error; /* the first errno, 0 so far */
	int spool; /* the first target's file while it is written, or -1 */

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
int smtpd__maildir_stage_enter(struct smtpd_maildir_target *t);

/* Close the directories of T, unless it is the first of M; errno stays. */
void smtpd__maildir_stage_leave(
    struct smtpd_maildir_message *m, struct smtpd_maildir_target *t);

/* Move the octets of the body from the buffer to the first target's file.
 * Return 0, or -1 with errno. */
int smtpd__maildir_stage_spill(struct smtpd_maildir_message *m);

/* Put a complete and durable copy into each tmp/.  Return 0, or -1 with errno;
 * `staged` of each target says what there is to remove then. */
int smtpd__maildir_stage_all(struct smtpd_maildir_message *m);

#endif
