/* SPDX-License-Identifier: MIT */
/*
 * bare_server CERT KEY: as server, but with nothing between the socket and
 * mbedTLS: a thread accepts, shakes hands, says 220, waits for a line, says
 * 221, and closes.  The second port that it prints is the first.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "half.h"

struct server {
	struct side side;
	int fd;
	unsigned port;
};

static int
fd_write(void *arg, const unsigned char *buf, size_t len)
{
	ssize_t n = send(*(int *)arg, buf, len, MSG_NOSIGNAL);

	return n < 0 ? -1 : (int)n;
}

static int
fd_read(void *arg, unsigned char *buf, size_t len)
{
	ssize_t n = recv(*(int *)arg, buf, len, 0);

	return n < 0 ? -1 : (int)n;
}

static void
serve_one(struct server *s, int fd)
{
	static const unsigned char greeting[] = "220 mx.example ESMTP\r\n";
	static const unsigned char bye[] = "221 2.0.0 bye\r\n";
	mbedtls_ssl_context ssl;
	unsigned char line[512];

	mbedtls_ssl_init(&ssl);
	if (mbedtls_ssl_setup(&ssl, &s->side.conf) != 0)
		die("no memory");
	mbedtls_ssl_set_bio(&ssl, &fd, fd_write, fd_read, NULL);
	if (mbedtls_ssl_handshake(&ssl) == 0) {
		mbedtls_ssl_write(&ssl, greeting, sizeof(greeting) - 1);
		mbedtls_ssl_read(&ssl, line, sizeof(line));
		mbedtls_ssl_write(&ssl, bye, sizeof(bye) - 1);
		mbedtls_ssl_close_notify(&ssl);
	}
	mbedtls_ssl_free(&ssl);
}

static void *
serve(void *arg)
{
	struct server *s = arg;
	int on = 1;

	for (;;) {
		int fd = accept(s->fd, NULL, NULL);

		if (fd < 0)
			continue;
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
		serve_one(s, fd);
		close(fd);
	}
	return NULL;
}

static void
open_port(struct server *s)
{
	struct sockaddr_in a = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	socklen_t len = sizeof(a);

	s->fd = socket(AF_INET, SOCK_STREAM, 0);
	if (s->fd < 0 || bind(s->fd, (struct sockaddr *)&a, len) != 0 ||
	    listen(s->fd, 16) != 0 ||
	    getsockname(s->fd, (struct sockaddr *)&a, &len) != 0)
		die("no port");
	s->port = ntohs(a.sin_port);
}

int
main(int argc, char **argv)
{
	static struct server s;
	struct timespec used;
	pthread_t thread;
	char line[16];

	if (argc != 3)
		die("usage: bare_server CERT KEY");
	side_init_server(&s.side, argv[1], argv[2]);
	open_port(&s);
	if (pthread_create(&thread, NULL, serve, &s) != 0)
		die("no thread");
	printf("%u %u\n", s.port, s.port);
	fflush(stdout);
	while (fgets(line, sizeof(line), stdin) != NULL) {
		clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
		printf("%.1f\n",
		    (double)used.tv_sec * 1e6 + (double)used.tv_nsec / 1e3);
		fflush(stdout);
	}
	return 0;
}
