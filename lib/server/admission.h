/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_SERVER_ADMISSION_H
#define SMTPD_SERVER_ADMISSION_H

/*
 * The way of a connection from its listener to its session: accepted, admitted
 * by the limits or turned away, served.
 */

#include "server/pool.h"

/* The work of a pool whose owner is a server. */
extern const struct smtpd_pool_work smtpd__admission_work;

#endif
