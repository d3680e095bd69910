/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_GRAMMAR_DATE_H
#define SMTPD_GRAMMAR_DATE_H

/*
 * The date and time of a header field (RFC 5322, 3.3), and of a log or JSON
 * (RFC 3339), always in UTC.
 */

#include <stdint.h>
#include <time.h>

/* Room for a date with its NUL. */
#define SMTPD_DATE_MAX 40

/* Write WHEN as "Mon, 02 Jan 2006 15:04:05 +0000" to BUF of SMTPD_DATE_MAX
 * bytes. */
void smtpd__date_write(time_t when, char *buf);

/* Write WHEN as "2006-01-02T15:04:05Z" to BUF of SMTPD_DATE_STAMP_MAX bytes. */
#define SMTPD_DATE_STAMP_MAX 40
void smtpd__date_write_stamp(time_t when, char *buf);

/* Read TEXT, date-time (RFC 3339, 5.6), into *WHEN, fractions of the second
 * left out.  Return 0, or -1 when it is none. */
int smtpd__date_read_stamp(const char *text, int64_t *when);

#endif
