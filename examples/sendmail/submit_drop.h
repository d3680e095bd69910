/* SPDX-License-Identifier: MIT */
#ifndef SUBMIT_DROP_H
#define SUBMIT_DROP_H

/*
 * Submitting a message to a smtpout that does not answer: into its drop box,
 * by the program that may write there.
 */

#include "submission.h"

/* Whether there is a box: what is not installed is not complained of. */
bool submit_drop_has_box(const struct arguments *a);

/* Put the message of S, for the recipients that are left, into the drop box, if
 * there is one; who got it is no longer left.  Its program complains of what
 * goes wrong. */
void submit_drop(struct submission *s);

#endif
