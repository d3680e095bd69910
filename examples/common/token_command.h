/* SPDX-License-Identifier: MIT */
#ifndef TOKEN_COMMAND_H
#define TOKEN_COMMAND_H

/*
 * Running the command that prints a token.  No shell does: the command is
 * divided at blanks into the absolute path of a program and its arguments.  It
 * runs in a process group of its own, as the user of this process, in the same
 * directory and environment, has nothing on its standard input, and is killed
 * with its group when its time is over.
 */

#include <stddef.h>

#include <smtpd/cancel.h>

/* How long it may take, in seconds. */
#define TOKEN_COMMAND_S 30

/* Whether the program of COMMAND can be run: 0, or -1 with errno; ENOENT when
 * its path is not absolute. */
int token_command_check(const char *command);

/*
 * Run COMMAND within SECONDS, or until CANCEL, if it is not NULL, is triggered;
 * what it prints becomes the text OUT of SIZE bytes.  Return 0, or -1 with the
 * reason in WHY of WHY_SIZE bytes: the last line that it says on its standard
 * error is in it, without words that may be secret.
 */
int token_command_run(const char *command, int seconds,
    const struct smtpd_cancel *cancel, char *out, size_t size, char *why,
    size_t why_size);

#endif
