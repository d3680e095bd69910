/* SPDX-License-Identifier: MIT */
#ifndef LISTEN_INTERFACE_H
#define LISTEN_INTERFACE_H

/*
 * The addresses of network interfaces that a daemon is to listen on, with
 * complaints for those who start it.
 */

#include "text_list.h"

/* Append the addresses of interface NAME to LIST, one at least.  Return 0, or
 * an exit status after complaining as PROGRAM. */
int listen_interface_named(
    const char *program, const char *name, struct text_list *list);

/* The same for the interfaces that lead to the Internet. */
int listen_interface_default(const char *program, struct text_list *list);

#endif
