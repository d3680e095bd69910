/* SPDX-License-Identifier: MIT */
#ifndef KEY_COMMAND_H
#define KEY_COMMAND_H

/*
 * The command "submission key": a password becomes the key that stands for it
 * in the file of accounts.
 */

/* The iterations of each key (RFC 5802, 5): whoever steals the file needs so
 * many times as long to guess a password. */
#define KEY_ITERATIONS 15000

/* Read a password from the terminal, twice and unseen, or else from standard
 * input, and print its key.  Return an exit status. */
int key_command(int argc, char **argv);

#endif
