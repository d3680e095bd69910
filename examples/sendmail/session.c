/* SPDX-License-Identifier: MIT */
#include "session.h"

#include <sys/socket.h>

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sysexits.h>
#include <unistd.h>

#include "complain.h"
#include "target.h"

#define BLOCK_SIZE 4096

/* The caller's side, while it is read. */
struct caller {
	char verb[10]; /* the beginning of the present line */
	size_t column;
	char last;
	bool raw; /* TLS was asked for: no byte may change any more */
};

static int
write_all(int fd, const char *data, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, data, len);

		if (n == -1 && errno != EINTR)
			return -1;
		if (n > 0) {
			data += n;
			len -= (size_t)n;
		}
	}
	return 0;
}

/* Copy LEN bytes at IN to OUT, of twice the size, CR before each LF. */
static size_t
end_lines(struct caller *c, const char *in, size_t len, char *out)
{
	size_t at = 0;

	for (size_t i = 0; i < len; i++) {
		if (in[i] == '\n' && c->last != '\r' && !c->raw)
			out[at++] = '\r';
		out[at++] = in[i];
		c->last = in[i];
		if (c->column < sizeof(c->verb))
			c->verb[c->column] = in[i];
		c->column++;
		if (in[i] != '\n')
			continue;
		c->raw |= c->column > 8 && c->column <= sizeof(c->verb) &&
		    strncasecmp(c->verb, "STARTTLS", 8) == 0;
		c->column = 0;
	}
	return at;
}

/* Pass on what can be read from FROM.  Return 1, 0 at its end, or -1. */
static int
pass_on(int from, int to, struct caller *c)
{
	char in[BLOCK_SIZE], out[2 * BLOCK_SIZE];
	ssize_t n = read(from, in, sizeof(in));

	if (n == -1)
		return errno == EINTR || errno == EAGAIN ? 1 : -1;
	if (n == 0)
		return 0;
	if (c == NULL)
		return write_all(to, in, (size_t)n) == 0 ? 1 : -1;
	return write_all(to, out, end_lines(c, in, (size_t)n, out)) == 0 ? 1
									 : -1;
}

int
session_run(const struct arguments *a)
{
	static const char sorry[] =
	    "421 4.3.2 smtpout does not answer, try again later\r\n";
	struct caller caller = { .column = 0 };
	int fd = target_connect(a);
	struct pollfd wait[2] = { { .fd = STDIN_FILENO, .events = POLLIN },
		{ .fd = fd, .events = POLLIN } };
	int status = 1;

	if (fd == -1) {
		(void)!write_all(STDOUT_FILENO, sorry, sizeof(sorry) - 1);
		return complain(PROGRAM, EX_TEMPFAIL,
		    "smtpout does not answer: %s", strerror(errno));
	}
	/* Its last reply is passed on also when it is gone. */
	signal(SIGPIPE, SIG_IGN);
	while (status > 0) {
		if (poll(wait, 2, -1) == -1) {
			if (errno == EINTR)
				continue;
			break;
		}
		if (wait[0].revents != 0 &&
		    pass_on(STDIN_FILENO, fd, &caller) < 1) {
			wait[0].fd = -1;
			shutdown(fd, SHUT_WR);
		}
		if (wait[1].revents != 0)
			status = pass_on(fd, STDOUT_FILENO, NULL);
	}
	close(fd);
	return status == 0 ? EX_OK : EX_IOERR;
}
