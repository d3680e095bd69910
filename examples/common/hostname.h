/* SPDX-License-Identifier: MIT */
#ifndef HOSTNAME_H
#define HOSTNAME_H

/*
 * The name of this machine, and checking names of hosts.
 */

#include <stdbool.h>
#include <stddef.h>

/* A buffer of this many bytes holds any. */
#define HOSTNAME_SIZE 256

/*
 * Write the fully qualified name of the machine to BUF of HOSTNAME_SIZE, or
 * its short name where the resolver, which is asked for two seconds at most,
 * knows no other.  Return 0, or -1 when the machine has no name that mail can
 * use.
 */
int hostname_find(char *buf);

/* Write the name that the machine calls itself, "localhost" where mail cannot
 * use it, to BUF of HOSTNAME_SIZE; nobody is asked. */
void hostname_own(char *buf);

/* Whether other hosts may know NAME: it has a domain. */
bool hostname_is_full(const char *name);

/* Whether NAME can be a domain in mail. */
int hostname_is_valid(const char *name);

#endif
