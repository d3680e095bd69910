/* SPDX-License-Identifier: MIT */
#include "peer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/socket.h"

/* A server that says nothing for so long says nothing at all. */
#define REPLY_MS 10000

/* How often peer_get_in() tries, and how long it waits in between. */
#define TRIES    500
#define PAUSE_MS 10

void
peer_wait(int ms)
{
	poll(NULL, 0, ms);
}

void
peer_adopt(struct peer *p, int fd)
{
	memset(p, 0, sizeof(*p));
	p->fd = fd;
}

static int
bind_source(int fd, const char *source)
{
	struct sockaddr_in in = { .sin_family = AF_INET };

	if (inet_pton(AF_INET, source, &in.sin_addr) != 1)
		return -1;
	return bind(fd, (const struct sockaddr *)&in, sizeof(in));
}

int
peer_open(struct peer *p, const char *address, const char *source)
{
	struct smtpd_sockaddr a;
	int fd, saved;

	if (smtpd__socket_parse(address, &a) != 0)
		return -1;
	fd = socket(a.addr.ss_family, SOCK_STREAM, 0);
	if (fd < 0)
		return -1;
	peer_adopt(p, fd);
	if (source != NULL && bind_source(fd, source) != 0)
		goto fail;
	if (connect(fd, (const struct sockaddr *)&a.addr, a.len) == 0)
		return 0;
fail:
	saved = errno;
	peer_close(p);
	errno = saved;
	return -1;
}

void
peer_close(struct peer *p)
{
	if (p->fd >= 0)
		close(p->fd);
	p->fd = -1;
}

void
peer_send(const struct peer *p, const char *text)
{
	size_t len = strlen(text);

	while (len > 0) {
		ssize_t n = send(p->fd, text, len, MSG_NOSIGNAL);

		if (n < 0 && errno != EINTR)
			return;
		if (n > 0) {
			text += n;
			len -= (size_t)n;
		}
	}
}

/* Read more: 1, 0 at the end, -1 when nothing comes. */
static int
read_more(struct peer *p)
{
	struct pollfd pfd = { .fd = p->fd, .events = POLLIN };
	ssize_t n;

	if (p->len == sizeof(p->in) || poll(&pfd, 1, REPLY_MS) <= 0)
		return -1;
	n = recv(p->fd, p->in + p->len, sizeof(p->in) - p->len, 0);
	if (n <= 0)
		return 0;
	p->len += (size_t)n;
	return 1;
}

/* Add the line at the front of the input, up to LF, to the text. */
static void
take_line(struct peer *p, const char *lf)
{
	size_t len = (size_t)(lf - p->in) + 1;
	size_t have = strlen(p->text);

	if (have + len < sizeof(p->text))
		snprintf(p->text + have, sizeof(p->text) - have, "%.*s\n",
		    (int)len - 2, p->in);
	memmove(p->in, p->in + len, p->len - len);
	p->len -= len;
}

int
peer_reply(struct peer *p)
{
	bool last = false;
	int code = 0;

	p->text[0] = '\0';
	while (!last) {
		const char *lf = memchr(p->in, '\n', p->len);

		if (lf == NULL) {
			int n = read_more(p);

			if (n <= 0)
				return n;
			continue;
		}
		code = (int)strtol(p->in, NULL, 10);
		last = p->in[3] == ' ';
		take_line(p, lf);
	}
	return code;
}

int
peer_say(struct peer *p, const char *line)
{
	char buf[4096];

	snprintf(buf, sizeof(buf), "%s\r\n", line);
	peer_send(p, buf);
	return peer_reply(p);
}

bool
peer_hello(struct peer *p)
{
	return peer_reply(p) == 220 && peer_say(p, "EHLO test.example") == 250;
}

static bool
begin(struct peer *p, const char *rcpt)
{
	char buf[512];
	int mail, to;

	snprintf(buf, sizeof(buf),
	    "MAIL FROM:<a@example.com>\r\nRCPT TO:<%s>\r\nDATA\r\n", rcpt);
	peer_send(p, buf);
	mail = peer_reply(p);
	to = peer_reply(p);
	return peer_reply(p) == 354 && mail == 250 && to == 250;
}

bool
peer_begin_message(struct peer *p)
{
	return begin(p, "b@example.org");
}

int
peer_deliver(struct peer *p, const char *rcpt, const char *body)
{
	char buf[4096];

	if (!begin(p, rcpt))
		return -1;
	snprintf(buf, sizeof(buf), "%s\r\n.\r\n", body);
	peer_send(p, buf);
	return peer_reply(p);
}

bool
peer_get_in(struct peer *p, const char *address, const char *source)
{
	for (int i = 0; i < TRIES; i++) {
		if (peer_open(p, address, source) != 0)
			return false;
		if (peer_hello(p))
			return true;
		peer_close(p);
		peer_wait(PAUSE_MS);
	}
	return false;
}
