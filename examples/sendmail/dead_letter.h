/* SPDX-License-Identifier: MIT */
#ifndef DEAD_LETTER_H
#define DEAD_LETTER_H

/* Where a message goes that could not be submitted. */

#include "submit.h"

/*
 * Append the message of S to dead.letter in the user's home directory, with
 * lines ended by LF and a field Resent-Bcc on top that has those who did not
 * get it: sendmail -t sends it to them again.  Tell where it is, or why not.
 */
void dead_letter_save(const struct submission *s);

#endif
