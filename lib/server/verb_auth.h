/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_SERVER_VERB_AUTH_H
#define SMTPD_SERVER_VERB_AUTH_H

/*
 * AUTH (RFC 4954): who the client is.
 */

#include "server/verb_table.h"

smtpd_verb_fn smtpd__verb_auth;

#endif
