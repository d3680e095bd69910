/* SPDX-License-Identifier: MIT */
#include "queue/control/client.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/pack.h"
#include "os/fd.h"
#include "queue/control/protocol.h"

/* An answer, read to its end before any of it is passed on, so that a reader
 * who pauses keeps nobody waiting. */
struct answer {
	struct smtpd_pack text;
	int error;
	char end[SMTPD_CONTROL_LINE_MAX];
};

int
smtpd__control_client_connect(int directory)
{
	struct sockaddr_un address;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd == -1)
		return -1;
	smtpd__control_protocol_address(directory, &address);
	if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) ==
	    0)
		return fd;
	smtpd__fd_close(fd);
	return -1;
}

/* Append a block of LEN bytes from FILE to TEXT. */
static int
read_block(FILE *file, size_t len, struct smtpd_pack *text)
{
	char buf[8192];

	while (len > 0) {
		size_t want = len < sizeof(buf) ? len : sizeof(buf);
		size_t n = fread(buf, 1, want, file);

		smtpd__pack_bytes(text, buf, n);
		if (n == 0 || text->failed)
			return -1;
		len -= n;
	}
	return 0;
}

/* Read the answer.  Return 0, or -1 if its end is missing. */
static int
read_answer(FILE *file, struct answer *a)
{
	char line[SMTPD_CONTROL_LINE_MAX + 64];

	while (fgets(line, sizeof(line), file) != NULL) {
		char *rest;
		unsigned long n = strtoul(line + 1, &rest, 10);

		if (line[0] == '=' && *rest == ' ') {
			a->error = (int)n;
			rest[strcspn(rest, "\n")] = '\0';
			snprintf(a->end, sizeof(a->end), "%s", rest + 1);
			return 0;
		}
		if (line[0] != '+' || *rest != '\n' ||
		    read_block(file, n, &a->text) == -1)
			return -1;
	}
	return -1;
}

/* Send the LEN bytes of LINE over FD, which is closed, and read the answer.
 * Return 0, or -1 if it was cut off. */
static int
exchange_bytes(int fd, const char *line, size_t len, struct answer *a)
{
	FILE *file;
	int result;

	while (len > 0) {
		ssize_t n = send(fd, line, len, MSG_NOSIGNAL);

		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1) {
			close(fd);
			return -1;
		}
		line += n;
		len -= (size_t)n;
	}
	file = fdopen(fd, "r");
	if (file == NULL) {
		close(fd);
		return -1;
	}
	result = read_answer(file, a);
	fclose(file);
	return result;
}

int
smtpd__control_client_ask(
    void *directory, const struct smtpd_control_call *call)
{
	const int *dir = directory;
	char line[SMTPD_CONTROL_LINE_MAX];
	int len = smtpd__control_protocol_format(
	    call->words, call->count, line, sizeof(line));
	struct answer a = { .error = 0 };
	int fd;

	if (len == -1) {
		snprintf(call->end, call->size, "malformed request");
		return EINVAL;
	}
	fd = smtpd__control_client_connect(*dir);
	if (fd == -1) {
		a.error = errno;
		snprintf(call->end, call->size,
		    "cannot reach the process that has the queue open: %s",
		    strerror(a.error));
		return a.error;
	}
	if (exchange_bytes(fd, line, (size_t)len, &a) == -1) {
		a.error = EIO;
		snprintf(a.end, sizeof(a.end), "the answer was cut off");
	}
	/* The text comes with some failures too: check finds damage. */
	if (a.text.len > 0 &&
	    call->write(call->user, a.text.data, a.text.len) != 0 &&
	    a.error == 0) {
		a.error = EPIPE;
		snprintf(a.end, sizeof(a.end), "%s", strerror(EPIPE));
	}
	snprintf(call->end, call->size, "%s", a.end);
	smtpd__pack_free(&a.text);
	return a.error;
}
