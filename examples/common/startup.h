/* SPDX-License-Identifier: MIT */
#ifndef STARTUP_H
#define STARTUP_H

/*
 * The state of a process that others started: it is made known before anything
 * is opened.
 */

/*
 * Open /dev/null on those of the descriptors 0, 1 and 2 that are closed, so
 * that no other file gets their number, and hide the files that the program
 * makes from all but its user and group.  First thing in main().  Where that
 * fails, the program ends with EX_OSERR.
 */
void startup_prepare(void);

#endif
