/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_MAILDIR_PUBLISH_H
#define SMTPD_MAILDIR_PUBLISH_H

/*
 * Publishing: the staged copies of a message appear in new/ of their Maildirs,
 * all of them or, when one fails, none.
 */

#include "maildir/target.h"

/* Move each copy from tmp/ to new/ and make that durable.  Return 0, or -1 with
 * errno; `staged` and `published` of each target say what there is to remove
 * then. */
int smtpd__maildir_publish_all(struct smtpd_maildir_message *m);

#endif
