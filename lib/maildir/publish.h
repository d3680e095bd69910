/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_MAILDIR_PUBLISH_H
#define SMTPD_MAILDIR_PUBLISH_H

/*
 * Publishing: the staged copies of a message appear in new/ of their Maildirs,
 * all of them or, when one fails, none.
 */

#include "maildir/stage.h"

/* Move each copy from tmp/ to new/ and make that durable.  Return 0, or -1 with
 * errno; then smtpd__maildir_publish_undo() removes the traces. */
int smtpd__maildir_publish_all(struct smtpd_maildir_message *m);

/* Remove each copy that was staged or published. */
void smtpd__maildir_publish_undo(struct smtpd_maildir_message *m);

#endif
