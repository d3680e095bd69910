/* SPDX-License-Identifier: MIT */
#ifndef STS_CHECK_H
#define STS_CHECK_H

/*
 * What --check says of MTA-STS (RFC 8461): the record and the policy to publish
 * for each domain of the map, so that senders insist on TLS with this host.
 */

#include "log.h"
#include "users.h"

/* Print what to publish for the domains of USERS, whose mail goes to HOST. */
void sts_check(const struct users *users, const char *host, struct log *log);

#endif
