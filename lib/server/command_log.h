/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_SERVER_COMMAND_LOG_H
#define SMTPD_SERVER_COMMAND_LOG_H

/*
 * The log's line for each command, without what is secret.
 */

#include "server/session_state.h"

/* Whether LINE, blanks left out, begins with a verb whose argument is a secret,
 * whatever else than a letter follows. */
bool smtpd__command_log_takes_secret(
    const struct smtpd_session *s, const char *line);

/* Log LINE if commands are logged: a verb that takes a secret without its
 * argument, and one that may be a secret as a whole (SECRET) as "***". */
void smtpd__command_log_write(
    const struct smtpd_session *s, const char *line, bool secret);

#endif
