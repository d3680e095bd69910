/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_CLIENT_OFFERS_H
#define SMTPD_CLIENT_OFFERS_H

/* What the server offered in its reply to EHLO; smtpd_client_offers() asks. */

#include "client/client_state.h"

/*
 * Add the LEN bytes at S, one line of the reply: a keyword, and its parameters
 * behind a space.  The first line, which is the server's name, may be added
 * too: no keyword is called so.
 */
void smtpd__client_offers_add(
    struct smtpd_client *c, const char *s, size_t len);

/* Return true if WORD is a parameter of KEYWORD, in any of its lines; in the
 * form of old, "AUTH=PLAIN", "=" may stand for the space. */
bool smtpd__client_offers_has(
    const struct smtpd_client *c, const char *keyword, const char *word);

#endif
