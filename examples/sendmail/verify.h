/* SPDX-License-Identifier: MIT */
#ifndef VERIFY_H
#define VERIFY_H

/*
 * -bv: smtpout is asked where mail for addresses would go, by EXPN (RFC 5321,
 * 4.1.1.7), and nothing is sent.
 */

#include "arguments.h"

/* Print a line for each that would get mail for a recipient of A.  Return an
 * exit status: 0 when each would get it. */
int verify_recipients(const struct arguments *a);

#endif
