/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_SERVER_ADMISSION_H
#define SMTPD_SERVER_ADMISSION_H

/*
 * The way of a connection from its listener to its session: accepted, admitted
 * by the limits or turned away, served.
 */

#include "server/pool.h"

struct smtpd_server;

/* Log how many refused connections of SRV had no line of their own. */
void smtpd__admission_log_rest(struct smtpd_server *srv);

/* The work of a pool whose owner is a server. */
extern const struct smtpd_pool_work smtpd__admission_work;

#endif
