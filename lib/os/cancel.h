/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_OS_CANCEL_H
#define SMTPD_OS_CANCEL_H

#include <smtpd/cancel.h>

/* A descriptor that poll() finds readable from the moment C is triggered on;
 * it must not be read.  -1, which poll() passes over, for NULL. */
int smtpd__cancel_fd(const struct smtpd_cancel *c);

#endif
