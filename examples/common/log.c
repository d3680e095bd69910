/* SPDX-License-Identifier: MIT */
#include "log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

/* A line with its time and level; a longer one is cut. */
#define LINE_SIZE 2048

struct log {
	int level;
	int fd;     /* -1: syslog, or the file could not be opened */
	char *path; /* NULL: not a file */
};

static const char *const names[] = { "none", "error", "warning", "info",
	"debug", "trace" };

int
log_level_parse(const char *text, int *level)
{
	char *end;
	long n;

	for (size_t i = 1; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcasecmp(text, names[i]) == 0) {
			*level = (int)i;
			return 0;
		}
	}
	n = strtol(text, &end, 10);
	if (*text < '0' || *text > '9' || *end != '\0' || n > 255)
		return -1;
	*level = (int)n;
	return 0;
}

static int
open_file(const char *path)
{
	return open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
}

struct log *
log_create(int level)
{
	struct log *log = calloc(1, sizeof(*log));

	if (log == NULL)
		return NULL;
	log->level = level;
	log->fd = STDERR_FILENO;
	return log;
}

int
log_to(struct log *log, const char *program, const char *target)
{
	if (strcmp(target, "syslog") == 0) {
		log->fd = -1;
		openlog(program, LOG_PID | LOG_NDELAY, LOG_MAIL);
		return 0;
	}
	log->path = strdup(target);
	if (log->path == NULL)
		return -1;
	log->fd = open_file(target);
	return log->fd == -1 ? -1 : 0;
}

void
log_destroy(struct log *log)
{
	if (log == NULL)
		return;
	if (log->path != NULL && log->fd >= 0)
		close(log->fd);
	free(log->path);
	free(log);
}

int
log_reopen(struct log *log)
{
	int fd, result;

	if (log->path == NULL)
		return 0;
	fd = open_file(log->path);
	if (fd == -1)
		return -1;
	/* The number stays the same for threads that write just now. */
	result = dup2(fd, log->fd);
	close(fd);
	return result == -1 ? -1 : 0;
}

enum smtpd_log_level
log_level_nearest(int level)
{
	return level < SMTPD_LOG_TRACE ? (enum smtpd_log_level)level
				       : SMTPD_LOG_TRACE;
}

int
log_level(const struct log *log)
{
	return log->level;
}

static int
syslog_priority(int level)
{
	static const int priorities[] = { LOG_ERR, LOG_ERR, LOG_WARNING,
		LOG_INFO, LOG_DEBUG, LOG_DEBUG };

	return priorities[level];
}

/* Write "2006-01-02T15:04:05.678Z level " to BUF of SIZE bytes; return its
 * length. */
static size_t
write_stamp(char *buf, size_t size, int level)
{
	struct timespec now;
	struct tm tm;
	size_t len;

	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &tm);
	len = strftime(buf, size, "%Y-%m-%dT%H:%M:%S", &tm);
	return len +
	    (size_t)snprintf(buf + len, size - len, ".%03ldZ %s ",
		now.tv_nsec / 1000000, names[level]);
}

/* Write LEN bytes at TEXT as one line. */
static void
write_line(struct log *log, int level, const char *text, size_t len)
{
	char line[LINE_SIZE];
	size_t at;

	if (level < 1 || level > SMTPD_LOG_TRACE)
		level = SMTPD_LOG_TRACE;
	if (log->fd == -1) {
		syslog(syslog_priority(level), "%.*s", (int)len, text);
		return;
	}
	at = write_stamp(line, sizeof(line), level);
	if (len > sizeof(line) - at - 1)
		len = sizeof(line) - at - 1;
	memcpy(line + at, text, len);
	line[at + len] = '\n';
	/* There is nowhere to report that the log cannot be written. */
	while (write(log->fd, line, at + len + 1) == -1 && errno == EINTR)
		continue;
}

void
log_text(enum smtpd_log_level level, const char *text, void *user)
{
	struct log *log = user;

	if ((int)level <= log->level)
		write_line(log, (int)level, text, strlen(text));
}

void
log_line(struct log *log, int level, const char *format, ...)
{
	char text[LINE_SIZE];
	va_list ap;
	int n;

	if (level > log->level)
		return;
	va_start(ap, format);
	n = vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	if (n < 0)
		return;
	for (char *p = text; *p != '\0'; p++)
		if ((unsigned char)*p < ' ' || *p == '\x7f')
			*p = '?';
	write_line(log, level, text, strlen(text));
}
