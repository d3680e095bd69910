/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_SERVER_REGISTRATION_H
#define SMTPD_SERVER_REGISTRATION_H

/*
 * Everything that a program registers before its server starts: handlers,
 * verbs, parameters, keywords, events, delivery, texts, data.
 */

#include <smtpd/server.h>

/* Return 0 while SRV has not started, else -1 with errno EBUSY and a sentence:
 * nothing may be registered any more. */
int smtpd__registration_check(struct smtpd_server *srv);

/* Allow no more registrations. */
void smtpd__registration_close(struct smtpd_server *srv);

#endif
