/* SPDX-License-Identifier: MIT */
#include "session.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "load.h"

static const struct {
	const char *name;
	int code;
} steps[] = {
	[STEP_CLOSED] = { "connect", 0 },
	[STEP_GREETING] = { "greeting", 220 },
	[STEP_HELLO] = { "EHLO", 250 },
	[STEP_READY] = { "idle", 0 },
	[STEP_MAIL] = { "MAIL", 250 },
	[STEP_RCPT] = { "RCPT", 250 },
	[STEP_DATA] = { "DATA", 354 },
	[STEP_BODY] = { "message", 250 },
	[STEP_QUIT] = { "QUIT", 221 },
	[STEP_OVER] = { "end", 0 },
};

static void
end(struct load *l, struct session *s)
{
	s->step = STEP_OVER;
	l->over++;
}

static void
drop_connection(struct load *l, struct session *s)
{
	if (s->step >= STEP_MAIL && s->step <= STEP_BODY)
		load_give_back(l);
	if (s->fd >= 0)
		close(s->fd);
	s->fd = -1;
	s->step = STEP_CLOSED;
}

static void
fail(struct load *l, struct session *s, const char *text)
{
	stats_unexpected(&l->stats, steps[s->step].name, text);
	if (l->stats.unexpected >= l->opt->max_errors)
		l->stopped = true;
	drop_connection(l, s);
}

/* Bind to one of many loopback addresses: each has its own range of ports. */
static int
bind_source(int fd, uint32_t number)
{
	uint32_t host = number / 250 * 256 + number % 250 + 1;
	struct sockaddr_in from = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK - 1 + host),
	};
	int on = 1;
	if (setsockopt(
		fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on)) < 0)
		return -1;
	return bind(fd, (struct sockaddr *)&from, sizeof(from));
}

static int
make_socket(struct load *l, struct session *s)
{
	int on = 1;
	int fd = socket(l->opt->target.ss_family,
	    SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	struct epoll_event ev = {
		.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
		.data.ptr = s,
	};
	if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) < 0 ||
	    (l->opt->sources > 1 && bind_source(fd, s->source) < 0) ||
	    (connect(fd, (const struct sockaddr *)&l->opt->target,
		 l->opt->target_len) < 0 &&
		errno != EINPROGRESS) ||
	    epoll_ctl(l->epoll, EPOLL_CTL_ADD, fd, &ev) < 0) {
		int error = errno;
		close(fd);
		errno = error;
		return -1;
	}
	return fd;
}

/* Connect; a session that has nothing left to do ends instead. */
static void
reconnect(struct load *l, struct session *s)
{
	if (l->stopped) {
		end(l, s);
		return;
	}
	s->out_len = s->out_at = s->body_len = s->line_len = 0;
	s->fd = make_socket(l, s);
	if (s->fd < 0) {
		fail(l, s, strerror(errno));
		end(l, s);
		return;
	}
	l->stats.connections++;
	s->connection++;
	s->step = STEP_GREETING;
}

void
session_open(struct load *l, struct session *s, uint32_t number)
{
	s->fd = -1;
	s->source = number % l->opt->sources;
	reconnect(l, s);
}

static ssize_t
send_rest(struct load *l, struct session *s)
{
	struct iovec iov[2];
	size_t n = 0;
	size_t body_at = 0;
	if (s->out_at < s->out_len)
		iov[n++] = (struct iovec){ .iov_base = s->out + s->out_at,
			.iov_len = s->out_len - s->out_at };
	else
		body_at = s->out_at - s->out_len;
	if (s->body_len > 0)
		iov[n++] = (struct iovec){ .iov_base = l->body.text + body_at,
			.iov_len = s->body_len - body_at };
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = n };
	return sendmsg(s->fd, &msg, MSG_NOSIGNAL);
}

/* Send what is to be sent, as far as it goes.  An error is left to recv(). */
static void
flush(struct load *l, struct session *s)
{
	while (s->out_at < s->out_len + s->body_len) {
		ssize_t n = send_rest(l, s);
		if (n < 0)
			return;
		s->out_at += (size_t)n;
	}
}

static void
send_out(struct load *l, struct session *s, size_t len, size_t body_len)
{
	s->out_len = len;
	s->out_at = 0;
	s->body_len = body_len;
	flush(l, s);
}

static void
send_text(struct load *l, struct session *s, const char *text)
{
	size_t len = strlen(text);
	memcpy(s->out, text, len);
	send_out(l, s, len, 0);
}

/* The message as a chunk, behind LEN bytes. */
static void
send_chunk(struct load *l, struct session *s, size_t len)
{
	len += text_chunk(s->out + len, l->opt, s->seq, l->body.lines);
	send_out(l, s, len, l->body.lines);
}

/* All commands up to the message, or with it where that is a chunk. */
static void
send_group(struct load *l, struct session *s)
{
	size_t len = text_group(s->out, l->opt, s->seq);
	if (s->chunking) {
		send_chunk(l, s, len);
		return;
	}
	memcpy(s->out + len, "DATA\r\n", 6);
	send_out(l, s, len + 6, 0);
}

void
session_next(struct load *l, struct session *s)
{
	if (!load_take(l, &s->seq)) {
		s->step = STEP_QUIT;
		send_text(l, s, "QUIT\r\n");
		return;
	}
	s->step = STEP_MAIL;
	s->rcpts = l->opt->recipients;
	s->begun = stats_clock();
	if (s->pipelining)
		send_group(l, s);
	else
		send_out(l, s, text_mail(s->out, l->opt, s->seq), 0);
}

static void
send_rcpt(struct load *l, struct session *s)
{
	uint32_t i = l->opt->recipients - s->rcpts;
	send_out(l, s, text_rcpt(s->out, l->opt, s->seq, i), 0);
}

static void
send_message(struct load *l, struct session *s)
{
	bool quit = l->opt->new_connections && s->pipelining;
	size_t body_len = quit ? l->body.quit_len : l->body.len;
	send_out(l, s, text_header(s->out, l->opt, s->seq), body_len);
}

/* The first time there is something to send: room for the largest of it. */
static bool
has_room(const struct load *l, struct session *s)
{
	if (s->out == NULL)
		s->out = malloc(text_room(l->opt));
	return s->out != NULL;
}

static void
on_hello(struct load *l, struct session *s)
{
	s->step = STEP_READY;
	if (s->pipelining)
		l->stats.pipelined = true;
	if (s->chunking)
		l->stats.chunked = true;
	if (!s->greeted) {
		s->greeted = true;
		load_ready(l);
	}
	if (l->going && s->step == STEP_READY)
		session_next(l, s);
}

static void
on_stored(struct load *l, struct session *s)
{
	stats_message(&l->stats, s->begun, stats_clock());
	if (!l->opt->new_connections) {
		session_next(l, s);
		return;
	}
	s->step = STEP_QUIT;
	if (!s->pipelining || s->chunking)
		send_text(l, s, "QUIT\r\n");
}

static bool
has_work(const struct load *l)
{
	return !l->stopped &&
	    (l->opt->messages == 0 || l->taken - l->back < l->opt->messages) &&
	    (l->deadline == 0 || stats_clock() < l->deadline);
}

static void
on_quit(struct load *l, struct session *s)
{
	drop_connection(l, s);
	if (l->opt->new_connections && has_work(l))
		reconnect(l, s);
	else
		end(l, s);
}

/* The expected reply came: what follows. */
static void
advance(struct load *l, struct session *s)
{
	switch (s->step) {
	case STEP_GREETING:
		s->step = STEP_HELLO;
		send_text(l, s, "EHLO client.example.net\r\n");
		break;
	case STEP_HELLO:
		on_hello(l, s);
		break;
	case STEP_MAIL:
		s->step = STEP_RCPT;
		if (!s->pipelining)
			send_rcpt(l, s);
		break;
	case STEP_RCPT:
		if (--s->rcpts == 0)
			s->step = s->chunking ? STEP_BODY : STEP_DATA;
		if (s->pipelining)
			break;
		if (s->rcpts > 0)
			send_rcpt(l, s);
		else if (s->chunking)
			send_chunk(l, s, 0);
		else
			send_text(l, s, "DATA\r\n");
		break;
	case STEP_DATA:
		s->step = STEP_BODY;
		send_message(l, s);
		break;
	case STEP_BODY:
		on_stored(l, s);
		break;
	case STEP_QUIT:
		on_quit(l, s);
		break;
	default:
		break;
	}
}

static int
code_of(const struct session *s)
{
	int code = 0;
	for (size_t i = 0; i < 3; i++) {
		if (i >= s->line_len || s->line[i] < '0' || s->line[i] > '9')
			return -1;
		code = code * 10 + (s->line[i] - '0');
	}
	return code;
}

/* A whole line of a reply stands in s->line, or its beginning. */
static void
on_line(struct load *l, struct session *s)
{
	int code = code_of(s);
	char after = s->line_len > 3 ? s->line[3] : ' ';
	if (s->step == STEP_HELLO && s->line_len >= 14 &&
	    strncasecmp(s->line + 4, "PIPELINING", 10) == 0)
		s->pipelining = l->opt->pipelining;
	if (s->step == STEP_HELLO && strcasecmp(s->line + 4, "CHUNKING") == 0)
		s->chunking = l->opt->chunks;
	if (code >= 0 && after == '-')
		return;
	if (code == 421 && s->step > STEP_HELLO) {
		l->stats.closed_421++;
		drop_connection(l, s);
		reconnect(l, s);
		return;
	}
	if (code != steps[s->step].code || after != ' ' || !has_room(l, s)) {
		fail(l, s, s->line);
		reconnect(l, s);
		return;
	}
	advance(l, s);
}

static bool
is_gone(const struct session *s, uint32_t connection)
{
	return s->fd < 0 || s->connection != connection;
}

static void
take(struct load *l, struct session *s, const char *data, size_t len)
{
	uint32_t connection = s->connection;
	for (size_t i = 0; i < len; i++) {
		if (data[i] != '\n') {
			if (s->line_len < sizeof(s->line) - 1 &&
			    data[i] != '\r')
				s->line[s->line_len++] = data[i];
			continue;
		}
		s->line[s->line_len] = '\0';
		on_line(l, s);
		s->line_len = 0;
		/* What is left belongs to a connection that was given up. */
		if (is_gone(s, connection))
			return;
	}
}

static void
receive(struct load *l, struct session *s)
{
	char buf[8192];
	uint32_t connection = s->connection;
	ssize_t n;
	do {
		n = recv(s->fd, buf, sizeof(buf), 0);
		if (n > 0)
			take(l, s, buf, (size_t)n);
		if (is_gone(s, connection))
			return;
	} while (n == (ssize_t)sizeof(buf));
	if (n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR)))
		return;
	fail(l, s, n == 0 ? "connection closed" : strerror(errno));
	reconnect(l, s);
}

void
session_event(struct load *l, struct session *s, uint32_t events)
{
	if (s->fd < 0)
		return;
	if ((events & EPOLLOUT) != 0)
		flush(l, s);
	if ((events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0)
		receive(l, s);
}

void
session_finish(struct session *s)
{
	if (s->fd >= 0)
		close(s->fd);
	free(s->out);
}
