/* SPDX-License-Identifier: MIT */
#ifndef PEER_NAMES_H
#define PEER_NAMES_H

/*
 * The names of clients by the DNS, for milters and the log: looked up before
 * the greeting.
 */

#include <smtpd/lookup.h>
#include <smtpd/server.h>

/* Have the clients of SRV looked up with RESOLVER, which must live as long.
 * Return 0 or -1. */
int peer_names_add(struct smtpd_server *srv, struct smtpd_resolver *resolver);

#endif
