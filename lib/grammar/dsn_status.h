/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_GRAMMAR_DSN_STATUS_H
#define SMTPD_GRAMMAR_DSN_STATUS_H

/* The part of a report for programs: message/delivery-status (RFC 3464, 2.1),
 * or message/global-delivery-status (RFC 6533, 4.1) where F has UTF-8. */

#include "grammar/dsn.h"
#include "grammar/fold.h"

/* Write the fields of R. */
void smtpd__dsn_status_write(
    struct smtpd_fold *f, const struct smtpd_dsn_report *r);

#endif
