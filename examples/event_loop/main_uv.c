/* SPDX-License-Identifier: MIT */
/*
 * uv [PORT]: a program on libuv, which also receives mail: the same as
 * main_epoll.c.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <uv.h>

#include "receiver.h"

static void
free_client(uv_handle_t *client)
{
	free(client);
}

/* The connection is libuv's, which closes it: the server gets a descriptor of
 * its own. */
static void
on_connection(uv_stream_t *listener, int status)
{
	uv_tcp_t *client = malloc(sizeof(*client));
	uv_os_fd_t fd;

	if (status < 0 || client == NULL) {
		free(client);
		return;
	}
	uv_tcp_init(listener->loop, client);
	if (uv_accept(listener, (uv_stream_t *)client) == 0 &&
	    uv_fileno((uv_handle_t *)client, &fd) == 0)
		smtpd_server_adopt(listener->data, dup(fd), 0);
	uv_close((uv_handle_t *)client, free_client);
}

static void
on_signal(uv_signal_t *signal, int number)
{
	(void)number;
	smtpd_server_stop(signal->data);
}

/* No session is left. */
static void
on_over(uv_poll_t *over, int status, int events)
{
	(void)status, (void)events;
	uv_stop(over->loop);
}

static int
listen_on(uv_tcp_t *listener, int port)
{
	struct sockaddr_in a;
	int len = sizeof(a);

	uv_ip4_addr("127.0.0.1", port, &a);
	if (uv_tcp_bind(listener, (struct sockaddr *)&a, 0) != 0 ||
	    uv_listen((uv_stream_t *)listener, SOMAXCONN, on_connection) != 0)
		return -1;
	uv_tcp_getsockname(listener, (struct sockaddr *)&a, &len);
	printf("listening on 127.0.0.1:%d\n", ntohs(a.sin_port));
	return 0;
}

int
main(int argc, char **argv)
{
	uv_loop_t *loop = uv_default_loop();
	struct smtpd_server *srv = receiver_start();
	int over = srv != NULL ? smtpd_server_fd(srv) : -1;
	uv_signal_t term, interrupt;
	uv_tcp_t listener;
	uv_poll_t end;

	if (over == -1)
		return 1;
	listener.data = term.data = interrupt.data = srv;
	uv_signal_init(loop, &term);
	uv_signal_start(&term, on_signal, SIGTERM);
	uv_signal_init(loop, &interrupt);
	uv_signal_start(&interrupt, on_signal, SIGINT);
	uv_poll_init(loop, &end, over);
	uv_poll_start(&end, UV_READABLE, on_over);
	uv_tcp_init(loop, &listener);
	if (listen_on(
		&listener, argc > 1 ? (int)strtol(argv[1], NULL, 10) : 0) == -1)
		return 1;
	uv_run(loop, UV_RUN_DEFAULT);
	smtpd_server_destroy(srv);
	return 0;
}
