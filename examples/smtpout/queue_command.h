/* SPDX-License-Identifier: MIT */
#ifndef QUEUE_COMMAND_H
#define QUEUE_COMMAND_H

/* Carry out "smtpout queue ...": ARGV[0] is "queue".  Return an exit status. */
int queue_command(int argc, char **argv);

#endif
