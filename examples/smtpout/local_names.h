/* SPDX-License-Identifier: MIT */
#ifndef LOCAL_NAMES_H
#define LOCAL_NAMES_H

/*
 * The names of this machine that get mail without an alias.
 */

#include <stdbool.h>

/* Whether KEY, in lower case, is an account, or a name that is there without
 * one: postmaster or mailer-daemon.  Any thread. */
bool local_names_has(const char *key);

#endif
