/* SPDX-License-Identifier: MIT */
#ifndef PLACES_H
#define PLACES_H

/*
 * Where smtpout and the programs that hand mail to it find each other.
 */

#include <stdint.h>

#include <smtpd/resolve.h>

/* The socket for programs of this host. */
#define SMTPOUT_RUN    "/run/smtpout"
#define SMTPOUT_SOCKET SMTPOUT_RUN "/socket"

/* The directory of the queue. */
#define SMTPOUT_QUEUE "/var/spool/smtpout"

/* Set T to the place NAME, the path of a socket or an address of this host,
 * which has PORT.  No name is looked up.  Return 0, or -1 when NAME is
 * neither. */
int places_target(const char *name, uint16_t port, struct smtpd_target *t);

#endif
