/* SPDX-License-Identifier: MIT */
#ifndef SUBMIT_SMTP_H
#define SUBMIT_SMTP_H

/*
 * Submitting a message to smtpout by SMTP.
 */

#include "submission.h"

/*
 * Submit the message of S: recipients that are done leave s->rcpts, and those
 * that were refused are reported.  Return whether it may help to try again;
 * s->why says why others are left.
 */
bool submit_smtp(struct submission *s);

#endif
