/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_CLIENT_ENVELOPE_H
#define SMTPD_CLIENT_ENVELOPE_H

/* Which parts of an envelope can be sent to a server, and as which commands. */

#include "base/text.h"
#include "client/client_state.h"

/*
 * Check M before anything is sent.  Each of RESULTS becomes IN_DOUBT for a
 * recipient that the server can be asked for, or says why it cannot.  Return
 * how many it can be asked for.
 */
size_t smtpd__client_envelope_check(const struct smtpd_client *c,
    const struct smtpd_outgoing *m, struct smtpd_result *results);

/* The most octets that the server of C takes (RFC 1870, 4); 0: not known. */
uint64_t smtpd__client_envelope_size_limit(const struct smtpd_client *c);

/* Append MAIL, or RCPT for recipient I, with the parameters that the server
 * offers. */
void smtpd__client_envelope_mail(const struct smtpd_client *c,
    const struct smtpd_outgoing *m, struct smtpd_text *t);
void smtpd__client_envelope_rcpt(const struct smtpd_client *c,
    const struct smtpd_outgoing *m, size_t i, struct smtpd_text *t);

#endif
