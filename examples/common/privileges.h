/* SPDX-License-Identifier: MIT */
#ifndef PRIVILEGES_H
#define PRIVILEGES_H

/*
 * Dropping the privileges that a daemon does not need once its ports are open,
 * and acting as the owner of a queue for a while.
 */

#include <stdbool.h>
#include <stddef.h>

/*
 * Become user NAME with its groups, for good; NULL: stay as it is.  Unless
 * that is root, give up all capabilities, but for that to listen on ports
 * below 1024 if KEEP_PORTS; and make sure that exec gains none.  Before any
 * thread is started.  Return 0, or an exit status (EX_NOUSER, EX_NOPERM,
 * EX_OSERR) with the reason in WHY of SIZE bytes.
 */
int privileges_drop(const char *name, bool keep_ports, char *why, size_t size);

/*
 * As root, act as the owner of DIRECTORY from now on, so that new files there
 * are the owner's; for other users nothing changes.  Before any thread is
 * started.  Return 0, or -1 with errno.
 */
int privileges_borrow(const char *directory);

#endif
