/* SPDX-License-Identifier: MIT */
#ifndef MAILNAME_H
#define MAILNAME_H

/*
 * The domain of addresses that have none: what programs of this machine call
 * its mail name.
 */

#include <stddef.h>

#include "hostname.h"

/* A file with that name on its first line, as Debian has it. */
#define MAILNAME_FILE "/etc/mailname"

/* Write the name in MAILNAME_FILE to BUF of HOSTNAME_SIZE; "" when there is no
 * such file.  Return 0, or -1 with the reason in WHY of SIZE bytes when it has
 * none that mail can use, or cannot be read. */
int mailname_read(char *buf, char *why, size_t size);

#endif
