/* SPDX-License-Identifier: MIT */
#ifndef PLACES_H
#define PLACES_H

/*
 * Where smtpout and smtpout-sendmail find each other by default.
 */

/* The socket for programs of this host. */
#define SMTPOUT_RUN    "/run/smtpout"
#define SMTPOUT_SOCKET SMTPOUT_RUN "/socket"

/* The directory of the queue. */
#define SMTPOUT_QUEUE "/var/spool/smtpout"

#endif
