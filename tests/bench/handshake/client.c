/* SPDX-License-Identifier: MIT */
/*
 * client PORT ROUNDS [resume]: make ROUNDS connections to a port of 127.0.0.1
 * where TLS begins at once; each reads the greeting and says QUIT.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "half.h"

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

static int
dial(unsigned port)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	int on = 1;

	if (fd < 0 ||
	    connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0)
		die("no connection");
	/* mbedTLS writes each part of a flight by itself. */
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	return fd;
}

/* Read one reply, which must begin with CODE. */
static void
expect(mbedtls_ssl_context *ssl, const char *code)
{
	unsigned char reply[512];
	int n;

	do {
		n = mbedtls_ssl_read(ssl, reply, sizeof(reply));
	} while (is_no_data(n));
	if (n < 3 || memcmp(reply, code, 3) != 0)
		die("another reply");
}

static void
talk(struct side *s, unsigned port, mbedtls_ssl_session *session, bool resume)
{
	mbedtls_ssl_context ssl;
	int fd = dial(port);
	int result;

	mbedtls_ssl_init(&ssl);
	if (mbedtls_ssl_setup(&ssl, &s->conf) != 0)
		die("no memory");
	mbedtls_ssl_set_hostname(&ssl, NULL);
	mbedtls_ssl_set_bio(&ssl, &fd, fd_write, fd_read, NULL);
	if (resume && mbedtls_ssl_set_session(&ssl, session) != 0)
		die("no session");
	do {
		result = mbedtls_ssl_handshake(&ssl);
	} while (result == MBEDTLS_ERR_SSL_WANT_READ);
	if (result != 0)
		die("a handshake failed");
	expect(&ssl, "220");
	mbedtls_ssl_session_free(session);
	mbedtls_ssl_session_init(session);
	if (mbedtls_ssl_get_session(&ssl, session) != 0)
		die("no session to resume");
	if (mbedtls_ssl_write(&ssl, (const unsigned char *)"QUIT\r\n", 6) != 6)
		die("no QUIT");
	expect(&ssl, "221");
	mbedtls_ssl_free(&ssl);
	close(fd);
}

int
main(int argc, char **argv)
{
	static struct side side;
	mbedtls_ssl_session session;
	bool resume = argc == 4 && strcmp(argv[3], "resume") == 0;
	long port, rounds;

	if (argc < 3)
		die("usage: client PORT ROUNDS [resume]");
	port = strtol(argv[1], NULL, 10);
	rounds = strtol(argv[2], NULL, 10);
	side_init_client(&side);
	mbedtls_ssl_session_init(&session);
	for (long i = 0; i < rounds; i++)
		talk(&side, (unsigned)port, &session, resume && i > 0);
	mbedtls_ssl_session_free(&session);
	side_finish(&side);
	return 0;
}
