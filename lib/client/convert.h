/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_CLIENT_CONVERT_H
#define SMTPD_CLIENT_CONVERT_H

/* A message that is converted while it is sent, since the server does not take
 * it as it is (grammar/mime_convert.h). */

#include "client/client_state.h"

struct smtpd_client_convert;

/*
 * Have *M, whose bytes outside ASCII the server takes if EIGHT_BIT, converted
 * if it needs that: *M is then another message, whose content *CONVERT reads,
 * and whose length is that of it.  *CONVERT is NULL when it stays what it is.
 * Fill in what was done.  Return 0, or -1 with a reason in WHY when it cannot
 * be read, or the server must not get it.
 */
int smtpd__client_convert_begin(struct smtpd_outgoing *m, bool eight_bit,
    struct smtpd_client_convert **convert, enum smtpd_conversion *done,
    struct smtpd_result *why);

/* Have *M, which C converts, again what it was, since that can be sent and what
 * it became cannot; C is freed.  Return 0, or -1 as above. */
int smtpd__client_convert_undo(struct smtpd_client_convert *c,
    struct smtpd_outgoing *m, struct smtpd_result *why);

/* Whether the server of C does not take M as it is, and M wants that. */
bool smtpd__client_convert_is_needed(
    const struct smtpd_client *c, const struct smtpd_outgoing *m);

/* Free C; NULL is fine. */
void smtpd__client_convert_end(struct smtpd_client_convert *c);

#endif
