/* SPDX-License-Identifier: MIT */
#include "milter/connection.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "os/clock.h"
#include "os/poll.h"

/* A call that has waited so long goes on as one that can be cancelled: most
 * answers come at once. */
#define QUICK_MS 100

/* What is read at a time. */
#define READ_ROOM 4096

/* Copy LEN bytes at TEXT to BUF of SIZE bytes; whether there is room. */
static bool
copy_part(char *buf, size_t size, const char *text, size_t len)
{
	if (len == 0 || len >= size)
		return false;
	memcpy(buf, text, len);
	buf[len] = '\0';
	return true;
}

/* "PORT@HOST", "HOST:PORT", with brackets around an address of IPv6 or not. */
static int
parse_inet(const char *text, struct smtpd_milter_address *out)
{
	const char *at = strchr(text, '@');
	const char *colon = strrchr(text, ':');
	const char *host = text, *port;
	size_t host_len, port_len;
	unsigned long number;

	errno = EINVAL;
	if (at == NULL && colon == NULL)
		return -1;
	port = at != NULL ? text : colon + 1;
	port_len = at != NULL ? (size_t)(at - text) : strlen(port);
	if (at != NULL)
		host = at + 1;
	host_len = at != NULL ? strlen(host) : (size_t)(colon - text);
	if (host_len > 2 && host[0] == '[' && host[host_len - 1] == ']') {
		host++;
		host_len -= 2;
	}
	if (!copy_part(out->host, sizeof(out->host), host, host_len) ||
	    !copy_part(out->port, sizeof(out->port), port, port_len) ||
	    strspn(out->port, "0123456789") != port_len)
		return -1;
	number = strtoul(out->port, NULL, 10);
	return number > 0 && number <= UINT16_MAX ? 0 : -1;
}

int
smtpd__connection_parse(const char *text, struct smtpd_milter_address *out)
{
	static const char *const paths[] = { "unix:", "local:", "" };
	size_t len;

	*out = (struct smtpd_milter_address){ 0 };
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		len = strlen(paths[i]);
		if (strncmp(text, paths[i], len) == 0 && text[len] == '/')
			return smtpd__socket_parse(text + len, &out->socket);
	}
	if (strncmp(text, "inet:", 5) == 0)
		return parse_inet(text + 5, out);
	if (strncmp(text, "inet6:", 6) == 0)
		return parse_inet(text + 6, out);
	return parse_inet(text, out);
}

/* Wait for EVENTS of FD.  Return 0, or -1 with errno. */
static int
wait_for(int fd, short events, uint64_t deadline,
    const struct smtpd_milter_wait *wait)
{
	switch (smtpd__poll_wait(
	    fd, events, wait->cancel_fd(wait->user), deadline)) {
	case SMTPD_POLL_READY:
		return 0;
	case SMTPD_POLL_TIMEOUT:
		errno = ETIMEDOUT;
		return -1;
	case SMTPD_POLL_CANCELLED:
		errno = ECANCELED;
		return -1;
	case SMTPD_POLL_ERROR:
		break;
	}
	return -1;
}

/* Whether DEADLINE has passed, or the wait was cancelled: what comes, or goes,
 * bit by bit never waits for long.  If so, errno says which. */
static bool
is_over(uint64_t deadline, const struct smtpd_milter_wait *wait)
{
	struct pollfd cancel = {
		.fd = wait->cancel_fd(wait->user),
		.events = POLLIN,
	};

	if (poll(&cancel, 1, 0) > 0) {
		errno = ECANCELED;
		return true;
	}
	errno = ETIMEDOUT;
	return smtpd__clock_ms() >= deadline;
}

/* The result of a connect() that was begun. */
static int
finish_connect(int fd, uint64_t deadline, const struct smtpd_milter_wait *wait)
{
	int error = 0;
	socklen_t len = sizeof(error);

	if (wait_for(fd, POLLOUT, deadline, wait) == -1)
		return -1;
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) == -1)
		return -1;
	errno = error;
	return error == 0 ? 0 : -1;
}

/* Let FD, which is connected, block, but not for long. */
static int
set_quick(int fd)
{
	const struct timeval quick = { .tv_usec = QUICK_MS * 1000 };
	const int on = 1;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &quick, sizeof(quick)) ==
		-1 ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &quick, sizeof(quick)) ==
		-1)
		return -1;
	return fcntl(fd, F_SETFL, 0);
}

/* Connect to the socket address A.  Return a descriptor, or -1 with errno. */
static int
connect_socket(const struct sockaddr *a, socklen_t len, uint64_t deadline,
    const struct smtpd_milter_wait *wait)
{
	int fd =
	    socket(a->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int error;

	if (fd == -1)
		return -1;
	if (connect(fd, a, len) == 0 ||
	    (errno == EINPROGRESS && finish_connect(fd, deadline, wait) == 0)) {
		if (set_quick(fd) == 0)
			return fd;
	}
	error = errno;
	close(fd);
	errno = error;
	return -1;
}

/* Look the host of A up, and connect to its addresses in turn. */
static int
connect_host(const struct smtpd_milter_address *a, uint64_t deadline,
    const struct smtpd_milter_wait *wait)
{
	const struct addrinfo hints = {
		.ai_socktype = SOCK_STREAM,
		.ai_flags = AI_NUMERICSERV,
	};
	struct addrinfo *found;
	int fd = -1, error;

	if (getaddrinfo(a->host, a->port, &hints, &found) != 0) {
		errno = EADDRNOTAVAIL;
		return -1;
	}
	for (const struct addrinfo *i = found; i != NULL && fd == -1;
	    i = i->ai_next)
		fd = connect_socket(i->ai_addr, i->ai_addrlen, deadline, wait);
	error = errno;
	freeaddrinfo(found);
	errno = error;
	return fd;
}

/* Let the input of C have room for WANTED octets from in_at on.  Return 0, or
 * -1 without memory. */
static int
make_room(struct smtpd_milter_connection *c, size_t wanted)
{
	char *more;

	if (wanted < READ_ROOM)
		wanted = READ_ROOM;
	if (c->in_at > 0) {
		memmove(c->in, c->in + c->in_at, c->in_len - c->in_at);
		c->in_len -= c->in_at;
		c->in_at = 0;
	}
	if (c->in_room >= wanted)
		return 0;
	more = realloc(c->in, wanted);
	if (more == NULL)
		return -1;
	c->in = more;
	c->in_room = wanted;
	return 0;
}

/* Offer what we can, and read what the filter takes of it. */
static int
agree_on_terms(struct smtpd_milter_connection *c, uint64_t deadline,
    const struct smtpd_milter_wait *wait)
{
	struct smtpd_packet p;

	smtpd__negotiate_offer(&c->writer);
	if (smtpd__connection_flush(c, deadline, wait) == -1 ||
	    smtpd__connection_read(c, &p, deadline, wait) == -1)
		return -1;
	if (smtpd__negotiate_read(&p, &c->agreed) == NULL)
		return 0;
	errno = EPROTO;
	return -1;
}

struct smtpd_milter_connection *
smtpd__connection_open(const struct smtpd_milter_address *a, uint64_t deadline,
    const struct smtpd_milter_wait *wait)
{
	struct smtpd_milter_connection *c = calloc(1, sizeof(*c));
	int error;

	if (c == NULL)
		return NULL;
	c->fd = a->host[0] != '\0'
	    ? connect_host(a, deadline, wait)
	    : connect_socket((const struct sockaddr *)&a->socket.addr,
		  a->socket.len, deadline, wait);
	if (c->fd != -1 && make_room(c, READ_ROOM) == 0 &&
	    agree_on_terms(c, deadline, wait) == 0)
		return c;
	error = errno;
	smtpd__connection_close(c);
	errno = error;
	return NULL;
}

int
smtpd__connection_flush(struct smtpd_milter_connection *c, uint64_t deadline,
    const struct smtpd_milter_wait *wait)
{
	struct smtpd_pack *out = &c->writer.out;
	size_t at = 0;
	ssize_t n;

	if (out->failed) {
		errno = ENOMEM;
		return -1;
	}
	while (at < out->len) {
		if (at > 0 && is_over(deadline, wait))
			return -1;
		n = send(c->fd, out->data + at, out->len - at, MSG_NOSIGNAL);
		if (n > 0)
			at += (size_t)n;
		else if (n == -1 && errno == EAGAIN) {
			if (wait_for(c->fd, POLLOUT, deadline, wait) == -1)
				return -1;
		} else if (n == -1 && errno != EINTR)
			return -1;
	}
	out->len = 0;
	return 0;
}

/* Read what comes into the input of C.  Return 0, or -1 with errno. */
static int
read_more(struct smtpd_milter_connection *c, uint64_t deadline,
    const struct smtpd_milter_wait *wait)
{
	ssize_t n;

	for (;;) {
		n = recv(c->fd, c->in + c->in_len, c->in_room - c->in_len, 0);
		if (n > 0) {
			c->in_len += (size_t)n;
			return 0;
		}
		if (n == 0) {
			errno = ECONNRESET;
			return -1;
		}
		if (errno == EAGAIN &&
		    wait_for(c->fd, POLLIN, deadline, wait) == -1)
			return -1;
		if (errno != EAGAIN && errno != EINTR)
			return -1;
	}
}

int
smtpd__connection_read(struct smtpd_milter_connection *c,
    struct smtpd_packet *out, uint64_t deadline,
    const struct smtpd_milter_wait *wait)
{
	size_t wanted;

	for (;;) {
		switch (smtpd__packet_find(
		    c->in + c->in_at, c->in_len - c->in_at, out, &wanted)) {
		case SMTPD_PACKET_WHOLE:
			c->in_at += wanted;
			return 0;
		case SMTPD_PACKET_INVALID:
			errno = EPROTO;
			return -1;
		case SMTPD_PACKET_PART:
			break;
		}
		if (is_over(deadline, wait) || make_room(c, wanted) == -1 ||
		    read_more(c, deadline, wait) == -1)
			return -1;
	}
}

bool
smtpd__connection_is_fresh(const struct smtpd_milter_connection *c)
{
	char byte;

	return c->in_at == c->in_len && c->writer.out.len == 0 &&
	    recv(c->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == -1 &&
	    errno == EAGAIN;
}

void
smtpd__connection_close(struct smtpd_milter_connection *c)
{
	if (c == NULL)
		return;
	if (c->fd != -1)
		close(c->fd);
	smtpd__pack_free(&c->writer.out);
	free(c->in);
	free(c);
}
