/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_SERVER_TRANSACTION_H
#define SMTPD_SERVER_TRANSACTION_H

/*
 * The transaction of a session, from MAIL to its end (RFC 5321, 3.3): its
 * envelope, and the one place where it is forgotten.
 */

#include "server/session_state.h"

/* Open a transaction, its envelope empty but for the id. */
void smtpd__transaction_open(struct smtpd_session *s);

/* Add a recipient.  Return 0, or -1 without memory. */
int smtpd__transaction_add(
    struct smtpd_session *s, const struct smtpd_rcpt *rcpt);

/*
 * Forget the transaction: tell its end, HOW with CODE, if its MAIL was
 * accepted, free what is kept for it, and go back to the state before MAIL.
 * When none is open, what XFORWARD said for the next is forgotten alone; a
 * MAIL that was refused (SMTPD_END_CLOSED) leaves that.
 */
void smtpd__transaction_end(
    struct smtpd_session *s, enum smtpd_end how, int code);

/* Forget what EHLO or HELO said, the transaction included. */
void smtpd__transaction_start_over(struct smtpd_session *s);

#endif
