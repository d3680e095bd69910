/* SPDX-License-Identifier: MIT */
#ifndef LOG_H
#define LOG_H

/*
 * The log of a daemon: lines to stderr, to a file, or to syslog.  The log
 * serves the mail, and never holds it up: a line that cannot be written within
 * a second is dropped, and how many were is the first line that can be written.
 * Where stderr is the journal of systemd, lines have its prefix for the level
 * and no time.
 */

#include <stddef.h>

#include <smtpd/server.h>

struct log;

/*
 * Write the level that TEXT names (error, warning, info, debug, trace), or
 * that it is as a number from 0 (nothing) to 255 (all), to *LEVEL.  Return 0
 * or -1.
 */
int log_level_parse(const char *text, int *level);

/* Make a log to stderr; lines above LEVEL are dropped.  Return NULL when
 * there is no memory. */
struct log *log_create(int level);

/*
 * Send LOG to TARGET: the path of a file to append to, or "syslog", as PROGRAM.
 * While nobody listens there, lines go to stderr.  Call it before any thread is
 * started, and after the daemon became its user, so that the file belongs to
 * that.  Return 0, or -1 with errno.
 */
int log_to(struct log *log, const char *program, const char *target);

/* Close and free it; NULL is fine. */
void log_destroy(struct log *log);

/* Open a file again by its name, after it was renamed.  Other threads may write
 * meanwhile.  Return 0, or -1 with errno: then the old file stays in use. */
int log_reopen(struct log *log);

/* The level of the library that comes nearest to LEVEL, which is not 0. */
enum smtpd_log_level log_level_nearest(int level);

/* The level up to which lines are taken. */
int log_level(const struct log *log);

/* Write one line as printf does; control bytes in it become "?". */
void log_line(struct log *log, int level, const char *format, ...)
    SMTPD_PRINTF(3, 4);

/* The same for the library: a smtpd_log_fn, its user being the log. */
void log_text(enum smtpd_log_level level, const char *text, void *log);

/* Write the reason ERROR, an errno, to BUF of SIZE bytes, enough of which are
 * LOG_ERROR_SIZE, and return BUF: what strerror() is on one thread. */
#define LOG_ERROR_SIZE 128
const char *log_error(int error, char *buf, size_t size);

#endif
