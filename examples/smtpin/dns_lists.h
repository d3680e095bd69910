/* SPDX-License-Identifier: MIT */
#ifndef DNS_LISTS_H
#define DNS_LISTS_H

/*
 * Lists in the DNS of addresses that send spam, or that do not: asked before
 * the greeting, all at once.
 */

#include <smtpd/lookup.h>
#include <smtpd/server.h>

#include "log.h"
#include "text_list.h"

#define DNS_LISTS_MAX 16

/* One list, "ZONE" or "ZONE=REPLY": only answers that begin with REPLY
 * count. */
struct dns_list {
	char zone[256];
	char reply[64];
	bool allows;
};

struct dns_lists {
	struct dns_list lists[DNS_LISTS_MAX];
	size_t count;
	struct smtpd_resolver *resolver; /* NULL: there are no lists */
	struct log *log;
};

/* Read the lists that DENY and ALLOW name, and have SRV ask them; SERVERS are
 * those of the DNS, or NULL.  Return 0, or an exit status after a complaint of
 * PROGRAM. */
int dns_lists_add(struct dns_lists *d, const char *program,
    const struct text_list *deny, const struct text_list *allow,
    const char *servers, struct smtpd_server *srv);

/* Free what D holds, after the server. */
void dns_lists_finish(struct dns_lists *d);

#endif
