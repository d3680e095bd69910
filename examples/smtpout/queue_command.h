/* SPDX-License-Identifier: MIT */
#ifndef QUEUE_COMMAND_H
#define QUEUE_COMMAND_H

/*
 * The command "smtpout queue ...": an operator's requests.
 */

/* Run the command; ARGV[0] is "queue".  Return an exit status. */
int queue_command(int argc, char **argv);

#endif
