/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_SERVER_COMMAND_LOOP_H
#define SMTPD_SERVER_COMMAND_LOOP_H

/*
 * The command loop of a session: greet, read a line, check its form and its
 * place, run its verb, send the reply.
 */

#include "server/session_state.h"

/* Begin S: the connect event, and the greeting. */
void smtpd__command_loop_begin(struct smtpd_session *s);

/*
 * Run S until it is over, and the program was told; the descriptors are still
 * open.  Return false if it may be parked, and its client is silent, or has to
 * see the last reply: to be run again when there is input.
 */
bool smtpd__command_loop_run(struct smtpd_session *s);

/* There will be no more input for S, because of WHY: run it once more. */
void smtpd__command_loop_break_off(
    struct smtpd_session *s, enum smtpd_io_status why);

#endif
