/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_OS_NODENAME_H
#define SMTPD_OS_NODENAME_H

/*
 * The name of this machine, which stands in where the program gives no host
 * name.
 */

#include <stddef.h>

/* Write the name to BUF of SIZE bytes.  Return 0, or -1 with "" in BUF when the
 * system has none, or one that does not fit. */
int smtpd__nodename_get(char *buf, size_t size);

#endif
