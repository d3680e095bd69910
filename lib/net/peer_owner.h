/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_NET_PEER_OWNER_H
#define SMTPD_NET_PEER_OWNER_H

/*
 * The user at the other end of a TCP connection within this host, as the kernel
 * knows it: whose the socket is that has the same two addresses the other way
 * round.
 */

#include <sys/types.h>

/* Find out whose socket is connected to FD.  Return 0, or -1 when that is not
 * known: it is no TCP connection, its other end is elsewhere, or nobody has it
 * open any more. */
int smtpd__peer_owner_find(int fd, uid_t *uid);

#endif
