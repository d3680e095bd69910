/* SPDX-License-Identifier: MIT */
#include "net/peer_owner.h"

#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "net/socket.h"

#include "test.h"

#define OTHER ((uid_t)65534)

union address {
	struct sockaddr any;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
};

/* Set A to TEXT, an address of loopback, which may be mapped. */
static socklen_t
set_address(union address *a, const char *text, in_port_t port)
{
	memset(a, 0, sizeof(*a));
	if (strchr(text, ':') != NULL) {
		a->in6.sin6_family = AF_INET6;
		a->in6.sin6_port = port;
		if (strcmp(text, "::1") == 0)
			a->in6.sin6_addr = in6addr_loopback;
		else if (strcmp(text, "::") != 0)
			memcpy(&a->in6.sin6_addr,
			    "\0\0\0\0\0\0\0\0\0\0\xff\xff\x7f\0\0\1", 16);
		return sizeof(a->in6);
	}
	a->in.sin_family = AF_INET;
	a->in.sin_port = port;
	a->in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return sizeof(a->in);
}

/* A listener at TEXT; its port goes to *PORT.  -1: this machine has no such
 * address. */
static int
listen_at(const char *text, in_port_t *port)
{
	union address a;
	socklen_t len = set_address(&a, text, 0);
	int fd = socket(a.any.sa_family, SOCK_STREAM, 0), off = 0;

	if (fd == -1)
		return -1;
	if (a.any.sa_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
	if (bind(fd, &a.any, len) == -1 || listen(fd, 5) == -1 ||
	    getsockname(fd, &a.any, &len) == -1) {
		close(fd);
		return -1;
	}
	*port = a.any.sa_family == AF_INET6 ? a.in6.sin6_port : a.in.sin_port;
	return fd;
}

static int
connect_to(const char *text, in_port_t port)
{
	union address a;
	socklen_t len = set_address(&a, text, port);
	int fd = socket(a.any.sa_family, SOCK_STREAM, 0);

	assert_int_not_equal(fd, -1);
	assert_int_equal(connect(fd, &a.any, len), 0);
	return fd;
}

static const struct {
	const char *server, *client;
} pairs[] = {
	{ "127.0.0.1", "127.0.0.1" },
	{ "::1", "::1" },
	{ "::", "127.0.0.1" },
	{ "127.0.0.1", "::ffff:127.0.0.1" },
	{ "::", "::ffff:127.0.0.1" },
};

static void
the_kernel_knows_whose_it_is(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(pairs); i++) {
		in_port_t port;
		int listener = listen_at(pairs[i].server, &port), client, fd;
		uid_t uid = OTHER;

		if (listener == -1)
			continue;
		client = connect_to(pairs[i].client, port);
		fd = accept(listener, NULL, NULL);
		assert_int_not_equal(fd, -1);
		assert_int_equal(smtpd__peer_owner_find(fd, &uid), 0);
		assert_int_equal(uid, geteuid());
		/* Also of one that sends no more, but not of one that nobody
		 * has any more. */
		assert_int_equal(shutdown(client, SHUT_WR), 0);
		assert_int_equal(smtpd__peer_owner_find(fd, &uid), 0);
		close(client);
		assert_int_equal(smtpd__peer_owner_find(fd, &uid), -1);
		close(fd);
		close(listener);
	}
}

/* Two users are told apart. */
static void
others_are_told(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip();
	for (size_t i = 0; i < COUNT(pairs); i++) {
		in_port_t port;
		int listener = listen_at(pairs[i].server, &port), fd, status;
		uid_t uid = 0;
		pid_t child;
		char byte;

		if (listener == -1)
			continue;
		child = fork();
		if (child == 0) {
			if (setuid(OTHER) == -1)
				_exit(1);
			fd = connect_to(pairs[i].client, port);
			_exit(read(fd, &byte, 1) == 1 ? 0 : 1);
		}
		fd = accept(listener, NULL, NULL);
		assert_int_equal(smtpd__peer_owner_find(fd, &uid), 0);
		assert_int_equal(uid, OTHER);
		assert_int_equal(write(fd, "x", 1), 1);
		assert_int_equal(waitpid(child, &status, 0), child);
		assert_int_equal(status, 0);
		close(fd);
		close(listener);
	}
}

static void
what_is_no_connection_has_no_owner(void **state)
{
	in_port_t port;
	int listener = listen_at("127.0.0.1", &port), ends[2];
	uid_t uid;

	(void)state;
	assert_int_equal(smtpd__peer_owner_find(listener, &uid), -1);
	assert_int_equal(smtpd__peer_owner_find(-1, &uid), -1);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	assert_int_equal(smtpd__peer_owner_find(ends[0], &uid), -1);
	close(ends[0]);
	close(ends[1]);
	close(listener);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_kernel_knows_whose_it_is),
		cmocka_unit_test(others_are_told),
		cmocka_unit_test(what_is_no_connection_has_no_owner),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
