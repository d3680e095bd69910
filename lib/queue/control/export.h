/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_QUEUE_CONTROL_EXPORT_H
#define SMTPD_QUEUE_CONTROL_EXPORT_H

/* All messages of a queue as files. */

#include "queue/control/server.h"

/* Carry out WORDS, in this process or another one, as smtpd__control_commands_run(). */
typedef int smtpd_ask_fn(void *whom, const char *const *words, size_t count,
    smtpd_write_fn *write, void *user, char *end, size_t size);

/*
 * As smtpd_ask_fn, but in as many parts as there are; the reason of a failure
 * is in ERROR.
 */
int smtpd__control_parts_ask_all(smtpd_ask_fn *ask, void *whom,
    const char *const *words, size_t count, smtpd_write_fn *write, void *user,
    char *error, size_t size);

/*
 * Have each message written to a file ID.eml in the directory that the only
 * one of COUNT words at ARGUMENTS names, which is made if it is not there.  No
 * file is overwritten; what has left the queue meanwhile is passed over, and so
 * is what is damaged, which WRITE is told and EBADMSG returned for.  Return 0,
 * or an errno with the reason in ERROR of SIZE bytes.
 */
int smtpd__control_export(smtpd_ask_fn *ask, void *whom,
    const char *const *arguments, size_t count, smtpd_write_fn *write,
    void *user, char *error, size_t size);

#endif
