/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_QUEUE_CONTROL_EXPORT_H
#define SMTPD_QUEUE_CONTROL_EXPORT_H

/*
 * All messages of a queue as files.
 */

#include "queue/control/call.h"

/*
 * Carry out "export DIRECTORY", the words of CALL, by asking PEER.  Each
 * message is written to a file ID.eml in the directory, which is made if it is
 * missing.  No file is overwritten.  A message that has left the queue
 * meanwhile is skipped; so is one that is damaged, which the answer says.
 * Return 0; EBADMSG if one is damaged; or another errno.  The reason is in
 * call->end.
 */
int smtpd__control_export(const struct smtpd_control_peer *peer,
    const struct smtpd_control_call *call);

#endif
