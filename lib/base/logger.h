/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_BASE_LOGGER_H
#define SMTPD_BASE_LOGGER_H

/*
 * The one way in which the library logs: a line is formatted, filtered, and
 * handed to the function that the program set, if its level is wanted.
 */

#include <smtpd/server.h>

#include <stdarg.h>
#include <stdbool.h>

/* The longest line, with its NUL; what is longer is cut off. */
#define SMTPD_LOGGER_LINE_SIZE 1600

/* All zero: nothing is logged. */
struct smtpd_logger {
	smtpd_log_fn *log; /* NULL: nothing is logged */
	void *user;        /* given to log */
	enum smtpd_log_level level;
};

/* Return true if lines of LEVEL are logged: ask before a line is prepared at
 * some cost. */
bool smtpd__logger_wants(
    const struct smtpd_logger *l, enum smtpd_log_level level);

/*
 * Format and log one line.  Every byte outside printable ASCII is replaced by
 * "?", even if the caller filtered it already.
 */
void smtpd__logger_write(const struct smtpd_logger *l,
    enum smtpd_log_level level, const char *format, ...) SMTPD_PRINTF(3, 4);

#endif
