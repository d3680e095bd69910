/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_CLIENT_ENVELOPE_H
#define SMTPD_CLIENT_ENVELOPE_H

/* What of an envelope can be said to a server, and how. */

#include "base/text.h"
#include "client/client_state.h"

/*
 * Look through M before anything is said.  Each of RESULTS becomes UNKNOWN for
 * a recipient that the server is to be asked about, or says why it is not.
 * Return how many there are to ask about.
 */
size_t smtpd__client_envelope_check(const struct smtpd_client *c,
    const struct smtpd_outgoing *m, struct smtpd_result *results);

/* Append MAIL, or RCPT for recipient I, with the parameters that the server
 * offers. */
void smtpd__client_envelope_mail(const struct smtpd_client *c,
    const struct smtpd_outgoing *m, struct smtpd_text *t);
void smtpd__client_envelope_rcpt(const struct smtpd_client *c,
    const struct smtpd_outgoing *m, size_t i, struct smtpd_text *t);

#endif
