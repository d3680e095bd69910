/* SPDX-License-Identifier: MIT */
#include "client/sources.h"

#include <stdio.h>
#include <string.h>

#include "base/sized.h"
#include "grammar/address_parse.h"

/* Read one source into SOURCES.  Return 0 or -1. */
static int
read_source(
    const struct smtpd_source *given, struct smtpd_client_sources *sources)
{
	struct smtpd_client_source *to = &sources->ipv4;
	struct smtpd_sockaddr address;

	if (given->address == NULL ||
	    smtpd__socket_parse_host(given->address, 0, &address) == -1)
		return -1;
	if (address.addr.ss_family == AF_INET6)
		to = &sources->ipv6;
	if (to->address.len > 0)
		return -1;
	to->address = address;
	if (given->hostname == NULL)
		return 0;
	if (strlen(given->hostname) >= sizeof(to->hostname) ||
	    !smtpd__address_parse_helo(
		given->hostname, strlen(given->hostname)))
		return -1;
	snprintf(to->hostname, sizeof(to->hostname), "%s", given->hostname);
	return 0;
}

int
smtpd__client_sources_read(const struct smtpd_source *given, size_t count,
    struct smtpd_client_sources *out)
{
	struct smtpd_source one;

	*out = (struct smtpd_client_sources){ 0 };
	if (given == NULL)
		return count == 0 ? 0 : -1;
	for (size_t i = 0; i < count; i++)
		if (smtpd__sized_copy_nth(&one, sizeof(one), given, i) == -1 ||
		    read_source(&one, out) == -1)
			return -1;
	return 0;
}

const struct smtpd_client_source *
smtpd__client_sources_find(
    const struct smtpd_client_sources *sources, int family)
{
	const struct smtpd_client_source *source = family == AF_INET
	    ? &sources->ipv4
	    : family == AF_INET6 ? &sources->ipv6
				 : NULL;

	return source != NULL && source->address.len > 0 ? source : NULL;
}
