/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_NET_NETWORK_H
#define SMTPD_NET_NETWORK_H

/*
 * Networks, and lists of them: whose peers are trusted with something.
 */

#include <stdbool.h>
#include <stddef.h>

#include "net/socket.h"

struct smtpd_network {
	int family;    /* AF_UNIX: all that is no Internet address */
	unsigned bits; /* how many of the following count */
	unsigned char bytes[16];
};

/* All zero: empty. */
struct smtpd_networks {
	struct smtpd_network *list;
	size_t count;
};

/*
 * Read "192.0.2.0/24", "2001:db8::/32", an address alone, or "local" for UNIX
 * sockets and pipes.  Return 0, or -1 when it is none of these, has bits set
 * behind those that count, or is IPv4 mapped into IPv6: peers are told as IPv4.
 */
int smtpd__network_parse(const char *text, struct smtpd_network *out);

/* Add N to LIST.  Return 0, or -1 without memory. */
int smtpd__network_list_add(
    struct smtpd_networks *list, const struct smtpd_network *n);

/* Whether A is in one of LIST. */
bool smtpd__network_list_has(
    const struct smtpd_networks *list, const struct smtpd_sockaddr *a);

/* Free what LIST holds. */
void smtpd__network_list_finish(struct smtpd_networks *list);

#endif
