/* SPDX-License-Identifier: MIT */
#ifndef SUBMIT_QUEUE_H
#define SUBMIT_QUEUE_H

/*
 * Adding a message to the directory of smtpout's queue while smtpout does not
 * run.
 */

#include "submission.h"

/* Add the message of S; as submit_smtp().  The queue must exist: only its
 * administrator makes one. */
bool submit_queue(struct submission *s);

#endif
