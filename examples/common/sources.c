/* SPDX-License-Identifier: MIT */
#include "sources.h"

#include <sys/socket.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "hostname.h"

/* The family of ADDRESS, or AF_UNSPEC when it is none. */
static int
family_of(const char *address)
{
	unsigned char bytes[16];
	int family = strchr(address, ':') != NULL ? AF_INET6 : AF_INET;

	return inet_pton(family, address, bytes) == 1 ? family : AF_UNSPEC;
}

int
sources_read(char *text, struct smtpd_source *list, size_t *count, char *why,
    size_t size)
{
	char *name = strchr(text, '=');
	int family;

	if (name != NULL)
		*name++ = '\0';
	family = family_of(text);
	if (family == AF_UNSPEC) {
		snprintf(why, size, "\"%s\" is not an address of IPv4 or IPv6",
		    text);
		return -1;
	}
	if (name != NULL && !hostname_is_valid(name)) {
		snprintf(why, size, "\"%s\" is not the name of a host", name);
		return -1;
	}
	for (size_t i = 0; i < *count; i++)
		if (family_of(list[i].address) == family) {
			snprintf(why, size, "there are two addresses of IPv%d",
			    family == AF_INET ? 4 : 6);
			return -1;
		}
	list[(*count)++] = (struct smtpd_source){ SMTPD_SOURCE_INIT,
		.address = text, .hostname = name };
	return 0;
}

/* Whether a connection could come from ADDRESS now. */
static bool
is_here(const char *address)
{
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };
	struct sockaddr_in in = { .sin_family = AF_INET };
	bool is_ipv6 = family_of(address) == AF_INET6;
	const struct sockaddr *a = is_ipv6 ? (const struct sockaddr *)&in6
					   : (const struct sockaddr *)&in;
	int fd = socket(a->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool here;

	inet_pton(a->sa_family, address,
	    is_ipv6 ? (void *)&in6.sin6_addr : (void *)&in.sin_addr);
	here = fd != -1 && bind(fd, a, is_ipv6 ? sizeof(in6) : sizeof(in)) == 0;
	if (fd != -1)
		close(fd);
	return here;
}

void
sources_warn(const struct smtpd_source *list, size_t count, const char *option,
    struct log *log)
{
	for (size_t i = 0; i < count; i++)
		if (!is_here(list[i].address))
			log_line(log, SMTPD_LOG_WARNING,
			    "this host does not have the address %s (%s): mail "
			    "that goes out from there waits",
			    list[i].address, option);
}
