/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_QUEUE_CONTROL_CLIENT_H
#define SMTPD_QUEUE_CONTROL_CLIENT_H

/*
 * Asking the process that has a queue open, over the control socket in its
 * directory.
 */

#include "queue/control/call.h"

/* Connect to that process.  DIRECTORY is a descriptor.  Return a descriptor, or
 * -1 with errno: ECONNREFUSED or ENOENT if there is no process. */
int smtpd__control_client_connect(int directory);

/* A smtpd_control_ask_fn; DIRECTORY points to a descriptor, an int. */
int smtpd__control_client_ask(
    void *directory, const struct smtpd_control_call *call);

#endif
