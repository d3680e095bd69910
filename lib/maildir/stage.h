/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_MAILDIR_STAGE_H
#define SMTPD_MAILDIR_STAGE_H

/*
 * Staging: a message, from its buffer in memory to a complete and durable copy
 * in tmp/ of each Maildir that it goes to.
 */

#include "maildir/target.h"

/* Move the octets of the body from the buffer to the lead's file, or to that of
 * another target when it fails.  Return 0, or -1 with errno. */
int smtpd__maildir_stage_spill(struct smtpd_maildir_message *m);

/* Put a complete and durable copy into each tmp/.  Return 0, or -1 with errno;
 * `staged` of each target says what there is to remove then. */
int smtpd__maildir_stage_all(struct smtpd_maildir_message *m);

#endif
