/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_MILTER_APPLY_H
#define SMTPD_MILTER_APPLY_H

/*
 * The changes that a milter asked for, made in a message.
 */

#include "milter/session.h"

/* Make CHANGES, in order, in the message of MS.  One that cannot be made, since
 * it makes no sense, is logged and left out.  Return 0, or the code of the
 * reply that refuses the message: then nothing of it may be kept. */
int smtpd__apply_changes(
    struct smtpd_milter_session *ms, const struct smtpd_changes *changes);

#endif
