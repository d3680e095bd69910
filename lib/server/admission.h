/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_SERVER_ADMISSION_H
#define SMTPD_SERVER_ADMISSION_H

/*
 * The way of a connection to its session: accepted from a listener or adopted,
 * admitted by the limits or turned away, served.
 */

#include "server/pool.h"

/* The work of a pool whose owner is a server. */
extern const struct smtpd_pool_work smtpd__admission_work;

/* Admit the connection of FD, which was accepted elsewhere, with FLAGS as those
 * of a listener, or turn it away: it is SRV's in any case. */
void smtpd__admission_adopt(struct smtpd_server *srv, int fd, unsigned flags);

#endif
