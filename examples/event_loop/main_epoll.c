/* SPDX-License-Identifier: MIT */
/*
 * epoll [PORT]: a program with an event loop of its own, which also receives
 * mail.  The loop accepts and hands connections over, and is told when the last
 * session is over; only the callbacks run on threads of the library.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "receiver.h"

static int
listen_on(uint16_t port)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (bind(fd, (struct sockaddr *)&a, len) == -1 ||
	    listen(fd, SOMAXCONN) == -1)
		return -1;
	getsockname(fd, (struct sockaddr *)&a, &len);
	printf("listening on 127.0.0.1:%d\n", ntohs(a.sin_port));
	return fd;
}

/* A descriptor that can be read when a signal says that the program is to
 * end. */
static int
watch_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC);
}

static void
watch_fd(int loop, int fd)
{
	epoll_ctl(loop, EPOLL_CTL_ADD, fd,
	    &(struct epoll_event){ .events = EPOLLIN, .data.fd = fd });
}

int
main(int argc, char **argv)
{
	int signals = watch_signals();
	int loop = epoll_create1(EPOLL_CLOEXEC);
	struct smtpd_server *srv = receiver_start();
	int over = srv != NULL ? smtpd_server_fd(srv) : -1;
	int listener =
	    listen_on(argc > 1 ? (uint16_t)strtol(argv[1], NULL, 10) : 0);
	struct epoll_event event = { .data.fd = -1 };

	if (over == -1 || listener == -1)
		return 1;
	watch_fd(loop, signals);
	watch_fd(loop, listener);
	watch_fd(loop, over);
	while (event.data.fd != over && epoll_wait(loop, &event, 1, -1) != -1) {
		if (event.data.fd == listener) {
			int fd = accept(listener, NULL, NULL);

			if (fd != -1)
				smtpd_server_adopt(srv, fd, 0);
		} else if (event.data.fd == signals) {
			epoll_ctl(loop, EPOLL_CTL_DEL, signals, NULL);
			smtpd_server_stop(srv);
		}
	}
	smtpd_server_destroy(srv);
	return 0;
}
