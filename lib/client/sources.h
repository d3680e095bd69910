/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_CLIENT_SOURCES_H
#define SMTPD_CLIENT_SOURCES_H

/* The addresses of this host that connections out come from, one of each
 * family at most, and the names that belong to them. */

#include <smtpd/client.h>

#include "base/sizes.h"
#include "net/socket.h"

struct smtpd_client_source {
	struct smtpd_sockaddr address; /* its port is 0; len 0: any address */
	char hostname[SMTPD_HOSTNAME_SIZE]; /* "": that of the settings */
};

struct smtpd_client_sources {
	struct smtpd_client_source ipv4, ipv6;
};

/*
 * Read COUNT sources at GIVEN into OUT.  Return 0, or -1 when one of them is no
 * address, has a name that cannot be said in EHLO, or is the second of its
 * family; or its size is wrong.
 */
int smtpd__client_sources_read(const struct smtpd_source *given, size_t count,
    struct smtpd_client_sources *out);

/* The source of connections to addresses of FAMILY; NULL: any address is. */
const struct smtpd_client_source *smtpd__client_sources_find(
    const struct smtpd_client_sources *sources, int family);

#endif
