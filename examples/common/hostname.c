/* SPDX-License-Identifier: MIT */
#include "hostname.h"

#include <sys/socket.h>
#include <sys/types.h>
#include <sys/wait.h>

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include <smtpd/address.h>

/* How long the resolver may be asked. */
#define ASK_MS 2000

int
hostname_is_valid(const char *name)
{
	char text[HOSTNAME_SIZE + 4], buf[SMTPD_ADDRESS_MAX];
	struct smtpd_address address;
	int n = snprintf(text, sizeof(text), "x@%s", name);

	return n > 0 && (size_t)n < sizeof(text) &&
	    smtpd_address_parse(text, buf, sizeof(buf), &address) == 0 &&
	    strcmp(address.local, "x") == 0 &&
	    strcmp(address.domain, name) == 0;
}

/* Write the full name that the resolver knows for NAME to FD. */
static void
write_full_name(const char *name, int fd)
{
	struct addrinfo hints = { .ai_flags = AI_CANONNAME };
	struct addrinfo *found;
	const char *full;

	if (getaddrinfo(name, NULL, &hints, &found) != 0)
		return;
	full = found->ai_canonname;
	if (full != NULL && strchr(full, '.') != NULL &&
	    strlen(full) < HOSTNAME_SIZE)
		(void)!write(fd, full, strlen(full));
	freeaddrinfo(found);
}

/* Replace the short name in BUF by the full one, if the resolver knows it.  A
 * process of its own asks: it can be ended when nobody answers. */
static void
qualify_name(char *buf)
{
	struct pollfd p = { .events = POLLIN };
	char full[HOSTNAME_SIZE];
	ssize_t n = 0;
	int ends[2];
	pid_t child;

	if (pipe(ends) == -1)
		return;
	child = fork();
	if (child == 0) {
		write_full_name(buf, ends[1]);
		_exit(0);
	}
	close(ends[1]);
	p.fd = ends[0];
	if (child != -1 && poll(&p, 1, ASK_MS) == 1)
		n = read(ends[0], full, sizeof(full) - 1);
	close(ends[0]);
	if (child != -1) {
		kill(child, SIGKILL);
		while (waitpid(child, NULL, 0) == -1 && errno == EINTR)
			continue;
	}
	if (n > 0)
		snprintf(buf, HOSTNAME_SIZE, "%.*s", (int)n, full);
}

int
hostname_find(char *buf)
{
	char name[HOSTNAME_SIZE];

	if (gethostname(name, sizeof(name)) == -1)
		return -1;
	name[sizeof(name) - 1] = '\0';
	memcpy(buf, name, sizeof(name));
	if (strchr(buf, '.') == NULL)
		qualify_name(buf);
	return hostname_is_valid(buf) ? 0 : -1;
}

void
hostname_own(char *buf)
{
	if (gethostname(buf, HOSTNAME_SIZE) == -1)
		buf[0] = '\0';
	buf[HOSTNAME_SIZE - 1] = '\0';
	if (!hostname_is_valid(buf))
		snprintf(buf, HOSTNAME_SIZE, "localhost");
}

bool
hostname_is_full(const char *name)
{
	return strchr(name, '.') != NULL &&
	    strcasecmp(name, "localhost.localdomain") != 0;
}
