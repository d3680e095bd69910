/* SPDX-License-Identifier: MIT */
#include "queue/control/server.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "journal/journal.h"
#include "os/clock.h"
#include "os/fd.h"
#include "os/poll.h"
#include "os/thread.h"
#include "queue/control/commands.h"
#include "queue/control/protocol.h"

/* How long the thread waits for one client, in all. */
#define PATIENCE_MS 10000

/* Clients that wait for their turn. */
#define BACKLOG 32

struct smtpd_control {
	struct smtpd_spool *spool;
	const struct smtpd_control_hooks *hooks;
	struct smtpd_cancel *stop;
	pthread_t thread;
	int listener;
	int dir; /* the spool's directory, for as long as it is open */
};

/* One client. */
struct client {
	struct smtpd_control *control;
	int fd;
	uint64_t patience; /* milliseconds left */
};

/* Wait until the client is ready for EVENTS.  Return 0, or -1 if its time is
 * up or the queue stops. */
static int
wait_ready(struct client *c, short events)
{
	uint64_t begun = smtpd__clock_ms();
	enum smtpd_poll_result result = smtpd__poll_wait(c->fd, events,
	    smtpd_cancel_fd(c->control->stop), begun + c->patience);
	uint64_t waited = smtpd__clock_ms() - begun;

	c->patience -= waited < c->patience ? waited : c->patience;
	return result == SMTPD_POLL_READY ? 0 : -1;
}

static int
send_all(struct client *c, const char *data, size_t len)
{
	while (len > 0) {
		ssize_t n = send(c->fd, data, len, MSG_NOSIGNAL);

		if (n > 0) {
			data += n;
			len -= (size_t)n;
		} else if (n == -1 && errno != EAGAIN && errno != EINTR) {
			return -1;
		} else if (wait_ready(c, POLLOUT) == -1) {
			return -1;
		}
	}
	return 0;
}

static int
send_block(void *user, const void *data, size_t len)
{
	struct client *c = user;
	char line[32];
	int n = snprintf(line, sizeof(line), "+%zu\n", len);

	/* No request holds up the stop, however long its answer is. */
	if (smtpd_cancel_is_triggered(c->control->stop))
		return -1;
	if (len == 0)
		return 0;
	return send_all(c, line, (size_t)n) == 0 ? send_all(c, data, len) : -1;
}

/* Read the request, up to its newline, into BUF.  Return its length or -1. */
static ssize_t
receive_request(struct client *c, char *buf, size_t size)
{
	size_t len = 0;

	while (len < size) {
		ssize_t n = recv(c->fd, buf + len, size - len, 0);

		if (n == 0)
			return -1;
		if (n > 0) {
			len += (size_t)n;
			if (buf[len - 1] == '\n')
				return (ssize_t)len;
		} else if (errno != EAGAIN && errno != EINTR) {
			return -1;
		} else if (wait_ready(c, POLLIN) == -1) {
			return -1;
		}
	}
	return -1;
}

/* Read the request of a client, carry it out, and send the line that ends the
 * answer, on which END must stay. */
static void
serve_client(struct smtpd_control *control, int fd)
{
	struct client c = { control, fd, PATIENCE_MS };
	const char *words[SMTPD_CONTROL_WORDS];
	char line[SMTPD_CONTROL_LINE_MAX], end[SMTPD_CONTROL_LINE_MAX];
	char last[SMTPD_CONTROL_LINE_MAX + 32];
	struct smtpd_control_call call = { .words = words,
		.write = send_block,
		.user = &c,
		.end = end,
		.size = sizeof(end) };
	ssize_t len = receive_request(&c, line, sizeof(line));
	struct smtpd_text t;
	int count, error;

	if (len == -1)
		return;
	count = smtpd__control_protocol_parse(line, (size_t)len, words);
	if (count == -1) {
		error = EINVAL;
		snprintf(end, sizeof(end), "malformed request");
	} else {
		call.count = (size_t)count;
		error = smtpd__control_commands_run(
		    control->spool, control->hooks, &call);
	}
	smtpd__text_init(&t, last, sizeof(last) - 1);
	smtpd__text_format(&t, "=%d ", error);
	smtpd__text_filtered(&t, end, strlen(end));
	last[t.len] = '\n';
	send_all(&c, last, t.len + 1);
}

static void *
run_server(void *arg)
{
	struct smtpd_control *c = arg;
	struct pollfd fds[] = { { .fd = c->listener, .events = POLLIN },
		{ .fd = smtpd_cancel_fd(c->stop), .events = POLLIN } };

	smtpd__thread_set_name("smtpd-control");
	while (!smtpd_cancel_is_triggered(c->stop)) {
		int fd;

		if (poll(fds, 2, -1) == -1 || fds[1].revents != 0)
			continue;
		fd = accept(c->listener, NULL, NULL);
		if (fd == -1) {
			/* Without descriptors poll() would not wait. */
			if (errno == EMFILE || errno == ENFILE)
				poll(fds + 1, 1, 100);
			continue;
		}
		if (smtpd__fd_prepare(fd) == 0)
			serve_client(c, fd);
		close(fd);
	}
	return NULL;
}

/* The spool is locked, so a socket that is there already was left by a process
 * that ended.  Nobody can connect before listen(), hence not before the mode is
 * right. */
static int
open_listener(int dir)
{
	struct sockaddr_un address;
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	if (fd == -1)
		return -1;
	smtpd__control_protocol_address(dir, &address);
	unlinkat(dir, SMTPD_CONTROL_NAME, 0);
	if (smtpd__fd_prepare(fd) == 0 &&
	    bind(fd, (const struct sockaddr *)&address, sizeof(address)) == 0 &&
	    fchmodat(dir, SMTPD_CONTROL_NAME, 0600, 0) == 0 &&
	    listen(fd, BACKLOG) == 0)
		return fd;
	smtpd__fd_close(fd);
	return -1;
}

struct smtpd_control *
smtpd__control_server_start(struct smtpd_spool *s,
    const struct smtpd_control_hooks *hooks, char *error, size_t size)
{
	struct smtpd_control *c = calloc(1, sizeof(*c));
	int code;

	if (c == NULL) {
		snprintf(error, size, "out of memory");
		return NULL;
	}
	c->spool = s;
	c->hooks = hooks;
	c->dir = smtpd__journal_directory(smtpd__spool_journal(s));
	c->listener = open_listener(c->dir);
	if (c->listener == -1)
		goto fail;
	c->stop = smtpd_cancel_create();
	if (c->stop == NULL)
		goto fail;
	code = smtpd__thread_start(&c->thread, 0, run_server, c);
	if (code == 0)
		return c;
	errno = code;
fail:
	code = errno;
	snprintf(error, size, "cannot listen on the socket %s: %s",
	    SMTPD_CONTROL_NAME, strerror(code));
	if (c->listener != -1) {
		unlinkat(c->dir, SMTPD_CONTROL_NAME, 0);
		close(c->listener);
	}
	smtpd_cancel_destroy(c->stop);
	free(c);
	errno = code;
	return NULL;
}

void
smtpd__control_server_stop(struct smtpd_control *c)
{
	if (c == NULL)
		return;
	smtpd_cancel_trigger(c->stop);
	pthread_join(c->thread, NULL);
	unlinkat(c->dir, SMTPD_CONTROL_NAME, 0);
	close(c->listener);
	smtpd_cancel_destroy(c->stop);
	free(c);
}
