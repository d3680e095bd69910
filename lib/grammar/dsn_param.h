/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_GRAMMAR_DSN_PARAM_H
#define SMTPD_GRAMMAR_DSN_PARAM_H

/*
 * The parameters that ask for delivery status notifications (RFC 3461): RET
 * and ENVID of MAIL, NOTIFY and ORCPT of RCPT.
 */

#include <stdbool.h>
#include <stddef.h>

/* What NOTIFY= asks for; bits.  None: it was not given. */
enum smtpd_notify {
	SMTPD_NOTIFY_NEVER = 1 << 0,
	SMTPD_NOTIFY_SUCCESS = 1 << 1,
	SMTPD_NOTIFY_FAILURE = 1 << 2,
	SMTPD_NOTIFY_DELAY = 1 << 3,
};

/* What RET= asks for. */
enum smtpd_ret {
	SMTPD_RET_UNSAID,
	SMTPD_RET_FULL,
	SMTPD_RET_HDRS,
};

/* Characters of an ENVID once it is decoded, and of an ORCPT as it is on the
 * wire (RFC 3461, 4.4; RFC 3461, 4.2). */
#define SMTPD_ENVID_MAX 100
#define SMTPD_ORCPT_MAX 500

/* Read the value of NOTIFY=, NULL when there was no "=".  Return 0, or -1 when
 * it is not one that RFC 3461, 4.1 allows. */
int smtpd__dsn_param_notify_parse(const char *value, unsigned *notify);

/* The same for RET= (RFC 3461, 4.3). */
int smtpd__dsn_param_ret_parse(const char *value, enum smtpd_ret *ret);

/* Whether VALUE, or NULL, is one of ENVID= (RFC 3461, 4.4): xtext of
 * at most SMTPD_ENVID_MAX characters, all printable ASCII. */
bool smtpd__dsn_param_envid_is_valid(const char *value);

/* Whether VALUE, or NULL, is one of ORCPT= (RFC 3461, 4.2): the kind of
 * address, ";", and xtext of printable ASCII or, for the kind "utf-8", the
 * unitext of RFC 6533, 3; at most SMTPD_ORCPT_MAX in all. */
bool smtpd__dsn_param_orcpt_is_valid(const char *value);

/* Whether VALUE is of the kind "utf-8". */
bool smtpd__dsn_param_orcpt_is_utf8(const char *value);

/* Whether VALUE, or NULL, is one of parameter NAME, one of the four above, in
 * upper case. */
bool smtpd__dsn_param_is_valid(const char *name, const char *value);

/* What happened to a recipient (RFC 3464, 2.3.3). */
enum smtpd_dsn_action {
	SMTPD_DSN_FAILED,
	SMTPD_DSN_DELAYED,
	SMTPD_DSN_RELAYED,   /* to a host that sends no reports of success */
	SMTPD_DSN_DELIVERED, /* to the mailbox */
};

/* Whether NOTIFY asks for a report of ACTION (RFC 3461, 4.1); without it,
 * failure and delay are reported. */
bool smtpd__dsn_param_is_wanted(unsigned notify, enum smtpd_dsn_action action);

#endif
