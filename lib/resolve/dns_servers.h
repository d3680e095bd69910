/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_RESOLVE_DNS_SERVERS_H
#define SMTPD_RESOLVE_DNS_SERVERS_H

/* Which DNS servers there are to ask. */

#include <stdbool.h>
#include <stddef.h>

#include "base/text.h"
#include "net/socket.h"

#define SMTPD_DNS_SERVERS_MAX 8

struct smtpd_dns_servers {
	struct smtpd_sockaddr list[SMTPD_DNS_SERVERS_MAX];
	size_t count;
	bool trusted; /* the system believes their AD bit */
};

/*
 * Read addresses divided by blanks, each with a port or for port 53:
 * "192.0.2.53", "[2001:db8::53]:5353".  Return 0, or -1 with errno: EINVAL when
 * there is none, too many or one that cannot be read; ENOMEM.
 */
int smtpd__dns_servers_parse(const char *text, struct smtpd_dns_servers *out);

/*
 * Read those of the system from FILE, /etc/resolv.conf: lines "nameserver
 * ADDRESS", and "trust-ad" among the words behind "options".  Where none is
 * named, or there is no file, it is one on this host.  Return 0, or -1 with
 * errno: the file cannot be read.
 */
int smtpd__dns_servers_system(const char *file, struct smtpd_dns_servers *out);

/* Append SERVERS to TEXT: "192.0.2.53:53, [2001:db8::53]:53". */
void smtpd__dns_servers_write(
    const struct smtpd_dns_servers *servers, struct smtpd_text *text);

/*
 * A socket of TYPE connected to SERVER, or connecting; -1: there is none.  What
 * comes from elsewhere is not received, and of UDP, the port cannot be guessed.
 */
int smtpd__dns_servers_connect(const struct smtpd_sockaddr *server, int type);

/* Whether A is on this host. */
bool smtpd__dns_servers_is_local(const struct smtpd_sockaddr *a);

#endif
