/* SPDX-License-Identifier: MIT */
#ifndef DEAD_LETTER_H
#define DEAD_LETTER_H

/*
 * The file that keeps a message which could not be submitted.
 */

#include "submission.h"

/*
 * Append the message of S to dead.letter in the user's home directory, with
 * lines ended by LF and a field Resent-Bcc on top that names the recipients
 * who did not get it: sendmail -t sends it to them.  Report where it is, or why
 * it is not kept.
 */
void dead_letter_save(const struct submission *s);

#endif
