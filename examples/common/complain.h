/* SPDX-License-Identifier: MIT */
#ifndef COMPLAIN_H
#define COMPLAIN_H

/*
 * Complaints on stderr: why a program does not start, wherever its log goes.
 */

#include <smtpd/version.h>

/* Print "PROGRAM: message" as printf does, control bytes as "?", with a line
 * end, and return STATUS, an exit status of sysexits(3). */
int complain(const char *program, int status, const char *format, ...)
    SMTPD_PRINTF(3, 4);

#endif
