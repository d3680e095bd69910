/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_SERVER_ADMISSION_H
#define SMTPD_SERVER_ADMISSION_H

/*
 * The way of a connection from its listener to its session: accepted, admitted
 * by the limits or turned away, served.
 */

#include <stdint.h>

#include "server/pool.h"

struct smtpd_server;

/* Why a connection gets no session, while the server runs. */
enum smtpd_refusal {
	SMTPD_REFUSAL_FULL,
	SMTPD_REFUSAL_PEER_FULL,
	SMTPD_REFUSAL_NO_MEMORY,
	SMTPD_REFUSAL_NO_DESCRIPTOR,
	SMTPD_REFUSAL_NO_THREAD,
	SMTPD_REFUSALS, /* their number */
};

/* Connections that were refused for one reason. */
struct smtpd_refused {
	uint64_t second; /* when one was logged last */
	uint32_t more;   /* how many were not, since */
};

/* Log how many refused connections of SRV had no line of their own. */
void smtpd__admission_log_rest(struct smtpd_server *srv);

/* The work of a pool whose owner is a server. */
extern const struct smtpd_pool_work smtpd__admission_work;

#endif
