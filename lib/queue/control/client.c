/* SPDX-License-Identifier: MIT */

/* The operator's side: ask the process that has the queue open, or, when there
 * is none, carry it out here. */

#include <smtpd/queue.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "os/fd.h"
#include "queue/control/export.h"
#include "queue/control/offline.h"
#include "queue/control/protocol.h"
#include "queue/control/server.h"

/* So often, and so many milliseconds apart, the process is looked for that
 * holds the queue without answering: it is just starting or stopping. */
#define TRIES    20
#define PAUSE_MS 100

/* An answer, which is read to its end before any of it is handed on: so a
 * reader who stops to think keeps nobody waiting. */
struct answer {
	char *data;
	size_t len, size;
	int error;
	char end[SMTPD_CONTROL_LINE_MAX];
};

static int
keep(void *user, const void *data, size_t len)
{
	struct answer *a = user;

	if (len > a->size - a->len) {
		size_t size = (a->len + len) * 2;
		char *more = realloc(a->data, size);

		if (more == NULL)
			return -1;
		a->data = more;
		a->size = size;
	}
	memcpy(a->data + a->len, data, len);
	a->len += len;
	return 0;
}

/* Read one block of the answer from FILE, LEN bytes. */
static int
read_block(FILE *file, size_t len, struct answer *a)
{
	char buf[8192];

	while (len > 0) {
		size_t want = len < sizeof(buf) ? len : sizeof(buf);
		size_t n = fread(buf, 1, want, file);

		if (n == 0 || keep(a, buf, n) == -1)
			return -1;
		len -= n;
	}
	return 0;
}

/* Read the answer.  Return 0, or -1 when it has no end. */
static int
read_answer(FILE *file, struct answer *a)
{
	char line[SMTPD_CONTROL_LINE_MAX + 64];

	while (fgets(line, sizeof(line), file) != NULL) {
		char *rest;
		unsigned long n = strtoul(line + 1, &rest, 10);

		if (line[0] == '+' && *rest == '\n') {
			if (read_block(file, n, a) == -1)
				return -1;
			continue;
		}
		if (line[0] != '=' || *rest != ' ')
			return -1;
		a->error = (int)n;
		rest[strcspn(rest, "\n")] = '\0';
		snprintf(a->end, sizeof(a->end), "%s", rest + 1);
		return 0;
	}
	return -1;
}

static int
send_request(int fd, const char *line, size_t len)
{
	while (len > 0) {
		ssize_t n = send(fd, line, len, MSG_NOSIGNAL);

		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return -1;
		line += n;
		len -= (size_t)n;
	}
	return 0;
}

/* Talk over FD, which is closed.  Return 0 when there is an answer. */
static int
talk(int fd, const char *const *words, size_t count, struct answer *a)
{
	char line[SMTPD_CONTROL_LINE_MAX];
	int len =
	    smtpd__control_protocol_format(words, count, line, sizeof(line));
	FILE *file = NULL;
	int result = -1;

	if (len == -1) {
		a->error = EINVAL;
		snprintf(a->end, sizeof(a->end), "this is no request");
		close(fd);
		return 0;
	}
	if (send_request(fd, line, (size_t)len) == 0)
		file = fdopen(fd, "r");
	if (file != NULL) {
		result = read_answer(file, a);
		fclose(file);
	} else {
		close(fd);
	}
	return result;
}

/* Connect to the process that has the queue.  Return a descriptor, or -1 with
 * errno. */
static int
reach(int dir)
{
	struct sockaddr_un address;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd == -1)
		return -1;
	smtpd__control_protocol_address(dir, &address);
	if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) ==
	    0)
		return fd;
	smtpd__fd_close(fd);
	return -1;
}

static int
ask_process(void *user, const char *const *words, size_t count,
    smtpd_write_fn *write, void *write_user, char *end, size_t size)
{
	const int *dir = user;
	struct answer a = { .error = 0 };
	int fd = reach(*dir);
	int error = EIO;

	if (fd == -1) {
		error = errno;
		snprintf(end, size, "the queue's process: %s", strerror(error));
		return error;
	}
	if (talk(fd, words, count, &a) == 0) {
		error = a.error;
		snprintf(end, size, "%s", a.end);
	} else {
		snprintf(end, size, "the answer was cut off");
	}
	if (a.len > 0 && write(write_user, a.data, a.len) != 0 && error == 0) {
		snprintf(end, size, "%s", strerror(EPIPE));
		error = EPIPE;
	}
	free(a.data);
	return error;
}

static bool
is_nobody_there(int error)
{
	return error == ECONNREFUSED || error == ENOENT;
}

/* Find out who carries out what changes the queue if CHANGES: the process that
 * has it (*SPOOL is NULL then), or we.  Return 0 or an errno. */
static int
find_who(int dir, const char *directory, bool changes,
    struct smtpd_control_offline **spool, char *error, size_t size)
{
	static const struct timespec moment = { .tv_nsec = PAUSE_MS * 1000000 };
	int code = EBUSY;

	*spool = NULL;
	for (int i = 0; i < TRIES && (code == EBUSY || code == EAGAIN); i++) {
		int fd;

		if (i > 0)
			nanosleep(&moment, NULL);
		fd = reach(dir);
		if (fd != -1) {
			close(fd);
			return 0;
		}
		if (!is_nobody_there(errno)) {
			code = errno;
			snprintf(error, size, "%s/%s: %s", directory,
			    SMTPD_CONTROL_NAME, strerror(code));
			return code;
		}
		*spool = smtpd__control_offline_open(
		    directory, changes, error, size);
		code = *spool != NULL ? 0 : errno;
	}
	return code;
}

int
smtpd__control_parts_ask_all(smtpd_ask_fn *ask, void *whom,
    const char *const *words, size_t count, smtpd_write_fn *write, void *user,
    char *error, size_t size)
{
	const char *more[SMTPD_CONTROL_WORDS];
	char place[SMTPD_CONTROL_LINE_MAX], end[SMTPD_CONTROL_LINE_MAX];
	int code;

	if (count >= SMTPD_CONTROL_WORDS) {
		snprintf(error, size, "too many words");
		return EINVAL;
	}
	memcpy(more, words, count * sizeof(*words));
	code = ask(whom, more, count, write, user, end, sizeof(end));
	while (code == 0 && end[0] != '\0') {
		memcpy(place, end, sizeof(place));
		more[count] = place;
		code =
		    ask(whom, more, count + 1, write, user, end, sizeof(end));
	}
	snprintf(error, size, "%s", end);
	return code;
}

static int
open_directory(const char *directory, char *error, size_t size)
{
	int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd != -1)
		return fd;
	if (errno == ENOENT)
		errno = ENOTDIR;
	if (errno == ENOTDIR)
		snprintf(error, size, "there is no queue in %s", directory);
	else
		snprintf(error, size, "%s: %s", directory, strerror(errno));
	return -1;
}

int
smtpd_queue_ask(const char *directory, const char *const *words, size_t count,
    smtpd_write_fn *write, void *user, char *error, size_t size)
{
	bool export = count > 0 && strcmp(words[0], "export") == 0;
	struct smtpd_control_offline *spool = NULL;
	smtpd_ask_fn *ask = ask_process;
	void *whom;
	int dir, code;

	error[0] = '\0';
	dir = open_directory(directory, error, size);
	if (dir == -1)
		return -1;
	whom = &dir;
	code = find_who(dir, directory,
	    smtpd__control_commands_changes(words, count), &spool, error, size);
	if (spool != NULL) {
		ask = smtpd__control_offline_ask;
		whom = spool;
	}
	if (code == 0 && export)
		code = smtpd__control_export(
		    ask, whom, words + 1, count - 1, write, user, error, size);
	else if (code == 0)
		code = smtpd__control_parts_ask_all(
		    ask, whom, words, count, write, user, error, size);
	smtpd__control_offline_close(spool);
	close(dir);
	errno = code;
	return code == 0 ? 0 : -1;
}
