/* SPDX-License-Identifier: MIT */
#ifndef PRIVILEGES_H
#define PRIVILEGES_H

/* Giving up what a daemon does not need once its ports are open. */

#include <stddef.h>

/*
 * Become user NAME with its groups, for good, or only give up to gain
 * privileges by exec when NAME is NULL.  Before any thread is started.  Return
 * 0, or an exit status (EX_NOUSER, EX_NOPERM, EX_OSERR) with the reason in WHY
 * of SIZE bytes.
 */
int privileges_drop(const char *name, char *why, size_t size);

/*
 * As root, act as the owner of DIRECTORY from now on, so that the files that
 * come to be there are the owner's; anybody else goes on as before.  Before any
 * thread is started.  Return 0, or -1 with errno.
 */
int privileges_borrow(const char *directory);

/* Be root again, after privileges_borrow(). */
void privileges_return(void);

#endif
