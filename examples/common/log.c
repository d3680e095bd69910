/* SPDX-License-Identifier: MIT */
#include "log.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
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

/* How long a line may wait for a reader that does not read. */
#define WAIT_MS 1000

/* Seconds between two looks for a syslog that was not there. */
#define SYSLOG_AGAIN 60

/* The socket of syslog(3). */
#define SYSLOG_PATH "/dev/log"

struct log {
	int level;
	int fd;              /* -1: the file could not be opened */
	char *path;          /* NULL: not a file */
	bool journal;        /* stderr is that of systemd */
	const char *program; /* syslog is wanted, under this name; else NULL */
	time_t syslog_due;   /* when to look for it again */

	atomic_bool plain; /* it is a file on a disk, where writes do not wait
	                    * for a reader */
	atomic_bool torn;  /* of the last line a part was written */
	atomic_ulong lost;

	pthread_mutex_t lock;
	bool syslog; /* it is there */
	bool stuck;  /* the last line waited in vain */
	int error;   /* the reason for the first line that was lost */
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

static bool
is_plain(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
}

/* Whether systemd says that stderr leads to its journal. */
static bool
is_journal(void)
{
	const char *text = getenv("JOURNAL_STREAM");
	unsigned long long device, inode;
	struct stat st;

	return text != NULL &&
	    sscanf(text, "%llu:%llu", &device, &inode) == 2 &&
	    fstat(STDERR_FILENO, &st) == 0 && st.st_dev == device &&
	    st.st_ino == inode;
}

struct log *
log_create(int level)
{
	struct log *log = calloc(1, sizeof(*log));

	if (log == NULL)
		return NULL;
	log->level = level;
	log->fd = STDERR_FILENO;
	log->journal = is_journal();
	pthread_mutex_init(&log->lock, NULL);
	return log;
}

/* Whether somebody listens at the socket of syslog; set errno where not. */
static bool
is_syslog_there(void)
{
	static const int types[] = { SOCK_DGRAM, SOCK_STREAM };
	const struct sockaddr_un un = { .sun_family = AF_UNIX,
		.sun_path = SYSLOG_PATH };
	bool there = false;

	for (size_t i = 0; i < 2 && !there; i++) {
		int fd = socket(AF_UNIX, types[i] | SOCK_CLOEXEC, 0);

		if (fd == -1)
			return false;
		there =
		    connect(fd, (const struct sockaddr *)&un, sizeof(un)) == 0;
		close(fd);
		if (!there && errno != EPROTOTYPE)
			return false;
	}
	return there;
}

static time_t
monotonic_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

/* Send lines to syslog if it is there, else to stderr until the next look. */
static void
look_for_syslog(struct log *log)
{
	log->syslog = is_syslog_there();
	log->syslog_due = monotonic_s() + SYSLOG_AGAIN;
	if (log->syslog)
		openlog(log->program, LOG_PID | LOG_NDELAY, LOG_MAIL);
}

int
log_to(struct log *log, const char *program, const char *target)
{
	if (strcmp(target, "syslog") == 0) {
		log->program = program;
		look_for_syslog(log);
		if (!log->syslog)
			log_line(log, SMTPD_LOG_WARNING,
			    "no syslog listens at %s (%s): logging to the "
			    "standard error until it does",
			    SYSLOG_PATH, strerror(errno));
		return 0;
	}
	log->path = strdup(target);
	if (log->path == NULL)
		return -1;
	log->fd = open_file(target);
	if (log->fd == -1)
		return -1;
	log->plain = is_plain(log->fd);
	return 0;
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
	log->plain = is_plain(log->fd);
	close(fd);
	return result == -1 ? -1 : 0;
}

/* For what the system says of links and owners, a mailbox gives the reason. */
static const char *
explain_error(int error)
{
	if (error == ELOOP)
		return " (is a symbolic link in the path?)";
	if (error == EPERM)
		return " (does it belong to another user?)";
	return "";
}

const char *
log_error(int error, char *buf, size_t size)
{
	char reason[128];

	if (strerror_r(error, reason, sizeof(reason)) != 0)
		snprintf(reason, sizeof(reason), "error %d", error);
	snprintf(buf, size, "%s%s", reason, explain_error(error));
	return buf;
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

/* Write "2006-01-02T15:04:05.678Z level ", or for the journal of systemd, which
 * knows the time, "<6>", to BUF of SIZE bytes; return its length. */
static size_t
write_stamp(const struct log *log, char *buf, size_t size, int level)
{
	struct timespec now;
	struct tm tm;
	size_t len;

	if (log->journal && log->path == NULL)
		return (size_t)snprintf(
		    buf, size, "<%d>", syslog_priority(level));
	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &tm);
	len = strftime(buf, size, "%Y-%m-%dT%H:%M:%S", &tm);
	return len +
	    (size_t)snprintf(buf + len, size - len, ".%03ldZ %s ",
		now.tv_nsec / 1000000, names[level]);
}

/* Wait until the file takes a line; once it did not, it is only asked. */
static bool
wait_writable(struct log *log)
{
	struct pollfd p = { .fd = log->fd, .events = POLLOUT };
	int n;

	do
		n = poll(&p, 1, log->stuck ? 0 : WAIT_MS);
	while (n == -1 && errno == EINTR);
	log->stuck = n == 0;
	if (n == 0)
		errno = ETIMEDOUT;
	return n == 1;
}

/* Write LEN bytes at LINE, to the end of a plain file; return whether all
 * were. */
static bool
append_bytes(struct log *log, const char *line, size_t len)
{
	ssize_t n;

	do
		n = write(log->fd, line, len);
	while (n == -1 && errno == EINTR);
	if (n == (ssize_t)len)
		return true;
	if (n > 0)
		log->torn = true;
	if (n >= 0)
		errno = ENOSPC;
	return false;
}

static bool
write_bytes(struct log *log, const char *line, size_t len)
{
	return (log->plain || wait_writable(log)) &&
	    append_bytes(log, line, len);
}

/* Say how many lines were lost before the next one.  Return whether there is
 * room again. */
static bool
report_lost(struct log *log)
{
	char line[256];
	size_t at = 0;

	if (log->torn)
		line[at++] = '\n';
	at += write_stamp(log, line + at, sizeof(line) - at, SMTPD_LOG_WARNING);
	at += (size_t)snprintf(line + at, sizeof(line) - at,
	    "lost lines of the log: %lu: %s\n", atomic_load(&log->lost),
	    strerror(log->error));
	if (!write_bytes(log, line, at))
		return false;
	log->lost = 0;
	log->torn = false;
	return true;
}

void
log_destroy(struct log *log)
{
	if (log == NULL)
		return;
	if (log->lost > 0)
		report_lost(log);
	if (log->path != NULL && log->fd >= 0)
		close(log->fd);
	free(log->path);
	pthread_mutex_destroy(&log->lock);
	free(log);
}

static void
count_lost(struct log *log, int error)
{
	if (atomic_fetch_add(&log->lost, 1) == 0)
		log->error = error;
}

static void
write_to_file(struct log *log, const char *line, size_t len)
{
	if ((log->lost > 0 && !report_lost(log)) ||
	    !write_bytes(log, line, len))
		count_lost(log, errno);
}

/* Write LEN bytes at TEXT as one line. */
static void
write_line(struct log *log, int level, const char *text, size_t len)
{
	char line[LINE_SIZE];
	bool direct;
	size_t at;
	int error;

	if (level < 1 || level > SMTPD_LOG_TRACE)
		level = SMTPD_LOG_TRACE;
	at = write_stamp(log, line, sizeof(line), level);
	if (len > sizeof(line) - at - 1)
		len = sizeof(line) - at - 1;
	memcpy(line + at, text, len);
	line[at + len] = '\n';
	/* Threads need not wait for one another to append to a plain file. */
	direct = log->path != NULL && log->plain && log->lost == 0;
	if (direct && append_bytes(log, line, at + len + 1))
		return;
	error = errno;
	pthread_mutex_lock(&log->lock);
	if (log->program != NULL && !log->syslog &&
	    log->syslog_due <= monotonic_s())
		look_for_syslog(log);
	if (direct)
		count_lost(log, error);
	else if (log->syslog)
		syslog(syslog_priority(level), "%.*s", (int)len, text);
	else
		write_to_file(log, line, at + len + 1);
	pthread_mutex_unlock(&log->lock);
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
