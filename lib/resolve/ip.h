/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_RESOLVE_IP_H
#define SMTPD_RESOLVE_IP_H

/* Addresses of hosts. */

#include <stdbool.h>

/* One address: of IPv4 the first four bytes, the others 0. */
struct smtpd_ip {
	int family;
	unsigned char bytes[16];
};

/* The address of FAMILY whose bytes are at BYTES. */
struct smtpd_ip smtpd__ip_make(int family, const void *bytes);

/*
 * Read an address literal: "[192.0.2.1]" or "[IPv6:2001:db8::1]".  Return 0,
 * or -1 when it is none.
 */
int smtpd__ip_parse_literal(const char *literal, struct smtpd_ip *out);

/* Whether no other host can be meant by IP: loopback, the unspecified address,
 * or a link's own. */
bool smtpd__ip_is_local(const struct smtpd_ip *ip);

/* Whether IP belongs to a network that is nobody's in particular. */
bool smtpd__ip_is_private(const struct smtpd_ip *ip);

#endif
