/* SPDX-License-Identifier: MIT */
#include "loopback.h"

#include "test.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

/* PORT is set if it was 0.  A socket, or -1 where PORT is taken. */
static int
bind_to(uint32_t address, uint16_t *port)
{
	const int on = 1;
	struct sockaddr_in in = { .sin_family = AF_INET };
	socklen_t len = sizeof(in);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_true(fd >= 0);
	in.sin_addr.s_addr = htonl(address);
	in.sin_port = htons(*port);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, (struct sockaddr *)&in, sizeof(in)) != 0) {
		close(fd);
		return -1;
	}
	assert_int_equal(getsockname(fd, (struct sockaddr *)&in, &len), 0);
	*port = ntohs(in.sin_port);
	return fd;
}

uint16_t
loopback_bind(int *fds, size_t count)
{
	uint16_t port = 0;
	size_t bound = 0;

	while (bound < count) {
		fds[bound] = bind_to(INADDR_LOOPBACK + (uint32_t)bound, &port);
		if (fds[bound] >= 0) {
			bound++;
			continue;
		}
		/* It is taken at this address: choose another. */
		assert_true(bound > 0);
		while (bound > 0)
			close(fds[--bound]);
		port = 0;
	}
	return port;
}
