/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_SERVER_AUTH_MECHANISMS_H
#define SMTPD_SERVER_AUTH_MECHANISMS_H

/*
 * The library's mechanisms of AUTH, over the program's callback: PLAIN, LOGIN,
 * SCRAM-SHA-256, OAUTHBEARER and XOAUTH2.
 */

#include "server/auth_exchange.h"

/*
 * Run the mechanism of the exchange of S.  Return whether the client proved who
 * it is: then its name is in the exchange.  Otherwise the reply is set, unless
 * the mechanism is none of these.
 */
bool smtpd__auth_mechanisms_run(struct smtpd_session *s);

#endif
