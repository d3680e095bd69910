/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_CLIENT_RESULT_H
#define SMTPD_CLIENT_RESULT_H

/*
 * Results of recipients and connections: those that no server gave, because the
 * client or its caller decided before a server was asked, and what they mean.
 */

#include <smtpd/client.h>

#include <stdarg.h>
#include <stdbool.h>

/* Fill in a result without a code; what FORMAT makes becomes printable ASCII.
 */
void smtpd__result_set(struct smtpd_result *r, enum smtpd_outcome outcome,
    enum smtpd_phase phase, const char *status, const char *format, ...)
    SMTPD_PRINTF(5, 6);
void smtpd__result_vset(struct smtpd_result *r, enum smtpd_outcome outcome,
    enum smtpd_phase phase, const char *status, const char *format, va_list ap)
    SMTPD_PRINTF(5, 0);

/* Set status and text only. */
void smtpd__result_set_text(
    struct smtpd_result *r, const char *status, const char *text);

/* Make R the result of a login with what the program gave, which failed as *R
 * says: mail is held until that is mended.  Whether R is one, also one that was
 * recorded and read again. */
void smtpd__result_hold(struct smtpd_result *r);
bool smtpd__result_is_held(const struct smtpd_result *r);

/* Whether R says that no more recipients are taken in this transaction (RFC
 * 5321, 4.5.3.1.10). */
bool smtpd__result_is_too_many(const struct smtpd_result *r);

#endif
