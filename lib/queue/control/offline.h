/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_QUEUE_CONTROL_OFFLINE_H
#define SMTPD_QUEUE_CONTROL_OFFLINE_H

/*
 * A queue that no process has open, opened here for one request.
 */

#include "queue/control/call.h"

struct smtpd_control_offline;

/* Open the spool in DIRECTORY: to read it, or if CHANGES with its lock.  Return
 * NULL with errno (EBUSY: a process has it after all; EAGAIN: it came into use
 * meanwhile) and the reason in ERROR of SIZE bytes. */
struct smtpd_control_offline *smtpd__control_offline_open(
    const char *directory, bool changes, char *error, size_t size);

/* NULL is fine. */
void smtpd__control_offline_close(struct smtpd_control_offline *o);

/* A smtpd_control_ask_fn. */
int smtpd__control_offline_ask(
    void *offline, const struct smtpd_control_call *call);

#endif
