/* SPDX-License-Identifier: MIT */
#include "web.h"

#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "complain.h"
#include "listen.h"

#define PORT 8025

/* The socket address of TEXT; NULL: it is none. */
static struct addrinfo *
find_address(const char *text)
{
	const struct addrinfo hints = {
		.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV,
		.ai_socktype = SOCK_STREAM,
	};
	char whole[WEB_URL_SIZE], *host = whole, *colon;
	struct addrinfo *found;

	if (listen_address(text, PORT, whole, sizeof(whole)) == -1)
		return NULL;
	colon = strrchr(whole, ':');
	if (colon == NULL)
		return NULL;
	*colon = '\0';
	if (*host == '[' && colon[-1] == ']') {
		host++;
		colon[-1] = '\0';
	}
	return getaddrinfo(host, colon + 1, &hints, &found) == 0 ? found : NULL;
}

/* Bind a socket to ADDRESS and listen; return it, or -1 with errno. */
static int
open_socket(const struct addrinfo *address)
{
	int fd =
	    socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_TCP);
	int on = 1, error;

	if (fd == -1)
		return -1;
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0 &&
	    bind(fd, address->ai_addr, address->ai_addrlen) == 0 &&
	    listen(fd, SOMAXCONN) == 0)
		return fd;
	error = errno;
	close(fd);
	errno = error;
	return -1;
}

static void
write_url(int fd, char *url, size_t size)
{
	struct sockaddr_storage address;
	socklen_t len = sizeof(address);
	char host[64] = "", port[8] = "";

	getsockname(fd, (struct sockaddr *)&address, &len);
	getnameinfo((struct sockaddr *)&address, len, host, sizeof(host), port,
	    sizeof(port), NI_NUMERICHOST | NI_NUMERICSERV);
	if (strchr(host, ':') != NULL)
		snprintf(url, size, "http://[%s]:%s/", host, port);
	else
		snprintf(url, size, "http://%s:%s/", host, port);
}

int
web_listen(const char *program, const char *address, char *url, size_t size)
{
	struct addrinfo *found = find_address(address);
	int fd;

	if (found == NULL) {
		complain(program, EX_USAGE,
		    "--web %s: give an address and a port, as in "
		    "127.0.0.1:8025 or [::1]:8025",
		    address);
		return -1;
	}
	fd = open_socket(found);
	if (fd == -1)
		complain(program, EX_UNAVAILABLE,
		    "--web %s: cannot listen there: %s", address,
		    strerror(errno));
	else
		write_url(fd, url, size);
	freeaddrinfo(found);
	return fd;
}
