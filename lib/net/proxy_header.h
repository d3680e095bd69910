/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_NET_PROXY_HEADER_H
#define SMTPD_NET_PROXY_HEADER_H

/*
 * The header that a proxy sends before the bytes of its client, versions 1 and
 * 2 of the PROXY protocol (HAProxy's doc/proxy-protocol.txt).
 */

#include <stdbool.h>
#include <stddef.h>

#include "net/socket.h"

/* The longest header that is taken: version 1 has 107 octets at most, version 2
 * as many as its sender likes. */
#define SMTPD_PROXY_HEADER_MAX 4096

struct smtpd_proxy_header {
	bool relayed; /* PEER is the client; else the proxy itself is, or a
	               * client of which it cannot tell the address */
	struct smtpd_sockaddr peer;
};

/*
 * Read the header that begins with LEN octets at DATA.  Return how many more of
 * it are missing at least; 0, when it is whole and ends with the last of them;
 * or -1 when that is no header, and *FAULT says why.  A caller that reads no
 * more than are missing takes nothing that is behind the header.
 */
int smtpd__proxy_header_read(const char *data, size_t len,
    struct smtpd_proxy_header *out, const char **fault);

#endif
