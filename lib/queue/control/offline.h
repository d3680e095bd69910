/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_QUEUE_CONTROL_OFFLINE_H
#define SMTPD_QUEUE_CONTROL_OFFLINE_H

/* A queue that no process has open, for one request of the operator. */

#include "queue/control/server.h"

struct smtpd_control_offline;

/* Open the spool in DIRECTORY: to read it, or if CHANGES with its lock.  NULL
 * with errno (EBUSY: a process has it after all; EAGAIN: it came to be in use
 * meanwhile) and the reason in ERROR of SIZE bytes. */
struct smtpd_control_offline *smtpd__control_offline_open(
    const char *directory, bool changes, char *error, size_t size);

/* NULL is fine. */
void smtpd__control_offline_close(struct smtpd_control_offline *o);

/* smtpd__control_commands_run() on it: a smtpd_ask_fn. */
int smtpd__control_offline_ask(void *offline, const char *const *words,
    size_t count, smtpd_write_fn *write, void *user, char *end, size_t size);

#endif
