/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_DKIM_MESSAGE_H
#define SMTPD_DKIM_MESSAGE_H

/*
 * A message that is signed: it comes in pieces, its header is kept as far as it
 * is signed, its body is hashed.
 */

#include <smtpd/dkim.h>

/* Whether the header of M is over, so that it is known which keys sign it; a
 * message may end before that. */
bool smtpd__dkim_message_has_header(const struct smtpd_dkim_message *m);

/* The header ends here at the latest.  Return 0, or -1 without memory. */
int smtpd__dkim_message_end_header(struct smtpd_dkim_message *m);

/* The length of the fields that smtpd_dkim_end() will return for M, whose
 * header is over; 0: it will not be signed. */
size_t smtpd__dkim_message_room(const struct smtpd_dkim_message *m);

#endif
