/* SPDX-License-Identifier: MIT */
#ifndef DKIM_KEY_COMMAND_H
#define DKIM_KEY_COMMAND_H

/*
 * The command "smtpout dkim-key ...": a key is made, and its record for the DNS
 * printed.
 */

/* Run the command; ARGV[0] is "dkim-key".  Return an exit status. */
int dkim_key_command(int argc, char **argv);

#endif
