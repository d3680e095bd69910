/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_QUEUE_CONTROL_SERVER_H
#define SMTPD_QUEUE_CONTROL_SERVER_H

/*
 * The process's end of the control socket: a thread that carries out the
 * requests of operators, one after the other.
 */

#include "queue/control/control.h"
#include "queue/spool/spool.h"

struct smtpd_control;

/* Listen in the spool's directory, on a socket with mode 0600.  Return NULL
 * with errno and the reason in ERROR of SIZE bytes. */
struct smtpd_control *smtpd__control_server_start(struct smtpd_spool *s,
    const struct smtpd_control_hooks *hooks, char *error, size_t size);

/* Stop to answer, and remove the socket; NULL is fine.  Waits for a request
 * that is under way. */
void smtpd__control_server_stop(struct smtpd_control *c);

#endif
