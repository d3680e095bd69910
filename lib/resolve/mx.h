/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_RESOLVE_MX_H
#define SMTPD_RESOLVE_MX_H

/* Mail hosts and their addresses, brought into the order in which they are to
 * be tried (RFC 5321, 5.1). */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "resolve/dns_message.h"
#include "resolve/ip.h"

struct smtpd_mx_host {
	char name[SMTPD_DNS_HOST_MAX]; /* in lower case; "" leads nowhere */
	uint16_t preference;
};

/* Sort by preference, and those of the same at random. */
void smtpd__mx_sort(struct smtpd_mx_host *hosts, size_t count);

struct smtpd_mx_address {
	size_t host; /* its place in the list of hosts */
	struct smtpd_ip ip;
	bool authenticated;
};

/* Addresses in order: begins with zeros. */
struct smtpd_mx_list {
	struct smtpd_mx_address *at; /* on the heap, the owner's */
	size_t count;
	size_t room;
};

/*
 * Append those of HOST that the answers SIX and FOUR give, each family at
 * random, IPv6 and IPv4 in turn; of each family up to MAX.  Return -1 without
 * memory.
 */
int smtpd__mx_add(struct smtpd_mx_list *list, size_t host,
    const struct smtpd_dns_answer *six, const struct smtpd_dns_answer *four,
    size_t max);

/* Take away all of the hosts from number HOST on. */
void smtpd__mx_cut(struct smtpd_mx_list *list, size_t host);

/* Whether what comes later would be taken away by smtpd__mx_limit(). */
bool smtpd__mx_is_full(const struct smtpd_mx_list *list, size_t max);

/* Take away the last so that MAX are left, of each family two where there
 * were so many and MAX is 4 or more (RFC 5321, 5.2). */
void smtpd__mx_limit(struct smtpd_mx_list *list, size_t max);

#endif
