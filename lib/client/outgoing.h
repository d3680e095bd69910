/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_CLIENT_OUTGOING_H
#define SMTPD_CLIENT_OUTGOING_H

/* Messages as programs give them, which may know fewer members. */

#include <smtpd/client.h>

/* Copy GIVEN, as far as it is known, to M and E.  Return -1 with errno EINVAL
 * when it is none. */
int smtpd__client_outgoing_copy(const struct smtpd_outgoing *given,
    struct smtpd_outgoing *m, struct smtpd_outgoing_envelope *e);

#endif
