/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_SERVER_HANDLERS_H
#define SMTPD_SERVER_HANDLERS_H

/*
 * The chain of a verb's handlers: they are asked in order of registration, the
 * first answer other than 0 wins, and the library acts last.
 */

#include "server/session_state.h"
#include "server/verb_table.h"

/*
 * Ask the handlers of VERB about COMMAND.  Return true if the library should
 * act: none answered, or one did with class GOOD, 2 or 3.  Otherwise the
 * refusal is set.
 */
bool smtpd__handlers_allow(struct smtpd_session *s,
    const struct smtpd_verb *verb, const struct smtpd_command *command,
    int good);

/* The same about a command without an address, LINE, with class 2. */
bool smtpd__handlers_allow_line(struct smtpd_session *s,
    const struct smtpd_verb *verb, const struct smtpd_command_line *line);

#endif
