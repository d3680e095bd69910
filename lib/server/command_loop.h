/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_SERVER_COMMAND_LOOP_H
#define SMTPD_SERVER_COMMAND_LOOP_H

/*
 * The command loop of a session: greet, read a line, check its form and its
 * place, run its verb, send the reply.
 */

#include "server/session_state.h"

/*
 * Run S from the connect event to the disconnect event.  Returns when it is
 * over; the descriptors are still open.
 */
void smtpd__command_loop_run(struct smtpd_session *s);

#endif
