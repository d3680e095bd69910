/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_OS_CANCEL_H
#define SMTPD_OS_CANCEL_H

/*
 * A struct smtpd_cancel that the end of a connection triggers as well, or a
 * moment: nobody needs to look at it but those who wait.
 */

#include <smtpd/cancel.h>

#include <stdint.h>

/* Make one that is triggered while the connection of FD, a socket (-1: none),
 * is broken.  FD must live as long.  NULL with errno as of
 * smtpd_cancel_create(). */
struct smtpd_cancel *smtpd__cancel_create_for(int fd);

/* Whether C, of one FD, is triggered as well while the peer says that it will
 * send no more. */
void smtpd__cancel_watch_input(struct smtpd_cancel *c, int fd, bool watched);

/* Trigger C, which smtpd__cancel_create_for() made, from WHEN on, as
 * smtpd__clock_ms() counts; SMTPD_NEVER: not for the time.  Return 0, or an
 * errno value: it will not be. */
int smtpd__cancel_set_deadline(struct smtpd_cancel *c, uint64_t when);

#endif
