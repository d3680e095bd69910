/* SPDX-License-Identifier: MIT */
#include "sources.h"

#include <sys/socket.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "complain.h"
#include "hostname.h"

/* The family of ADDRESS, or AF_UNSPEC when it is none. */
static int
family_of(const char *address)
{
	unsigned char bytes[16];
	int family = strchr(address, ':') != NULL ? AF_INET6 : AF_INET;

	return inet_pton(family, address, bytes) == 1 ? family : AF_UNSPEC;
}

/* One of --source: ADDRESS, or ADDRESS=NAME. */
static int
read_source(struct settings *s, char *text)
{
	char *name = strchr(text, '=');
	int family;

	if (name != NULL)
		*name++ = '\0';
	family = family_of(text);
	if (family == AF_UNSPEC)
		return complain(PROGRAM, EX_USAGE,
		    "--source: \"%s\" is not an address of IPv4 or IPv6", text);
	if (name != NULL && !hostname_is_valid(name))
		return complain(PROGRAM, EX_USAGE,
		    "--source: \"%s\" is not the name of a host", name);
	for (size_t i = 0; i < s->nsources; i++)
		if (family_of(s->sources[i].address) == family)
			return complain(PROGRAM, EX_USAGE,
			    "--source: there are two addresses of IPv%d",
			    family == AF_INET ? 4 : 6);
	s->sources[s->nsources++] = (struct smtpd_source){ SMTPD_SOURCE_INIT,
		.address = text, .hostname = name };
	return 0;
}

int
sources_complete(struct settings *s)
{
	int status = 0;

	for (size_t i = 0; i < s->source.count && status == 0; i++)
		status = read_source(s, s->source.items[i]);
	return status;
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
sources_warn(const struct settings *s, struct log *log)
{
	for (size_t i = 0; i < s->nsources; i++)
		if (!is_here(s->sources[i].address))
			log_line(log, SMTPD_LOG_WARNING,
			    "this host does not have the address %s "
			    "(--source): mail that goes out from there waits",
			    s->sources[i].address);
}
