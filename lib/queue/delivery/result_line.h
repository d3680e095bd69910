/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_QUEUE_DELIVERY_RESULT_LINE_H
#define SMTPD_QUEUE_DELIVERY_RESULT_LINE_H

/* The log line of what came of a recipient. */

#include "base/text.h"
#include "queue/model/loaded_message.h"
#include "queue/spool/spool.h"

/* The relay of what came to no host. */
#define SMTPD_RESULT_LINE_NO_RELAY "relay=none tls=none"

/*
 * Append the line of R, a recipient of LOADED: "key=value" fields in which
 * neither addresses nor the words of others can forge one.  RELAY is where it
 * went, as fields.
 */
void smtpd__result_line_write(struct smtpd_text *line,
    const struct smtpd_loaded_message *loaded,
    const struct smtpd_rcpt_progress *r, const char *relay);

#endif
