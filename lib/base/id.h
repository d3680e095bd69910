/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_BASE_ID_H
#define SMTPD_BASE_ID_H

/*
 * Ids of transactions and messages as text: what log lines, Received fields
 * and operators call them.
 */

#include <stdint.h>

/* The size of an id as text, with its NUL. */
#define SMTPD_ID_SIZE 14

/* Write N to BUF of SMTPD_ID_SIZE bytes: digits and upper-case letters, and
 * larger numbers sort behind smaller ones. */
void smtpd__id_write(uint64_t n, char *buf);

/* Read what smtpd__id_write() wrote, in letters of either case.  Return 0, or
 * -1 if TEXT is no id. */
int smtpd__id_parse(const char *text, uint64_t *n);

#endif
