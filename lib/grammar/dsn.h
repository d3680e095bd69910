/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_GRAMMAR_DSN_H
#define SMTPD_GRAMMAR_DSN_H

/*
 * Delivery status notifications: the parameters that ask for them (RFC 3461),
 * and the report itself (RFC 3464).
 */

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#include "base/sink.h"

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
 * wire (RFC 3461, 4.4 and 4.2). */
#define SMTPD_ENVID_MAX 100
#define SMTPD_ORCPT_MAX 500

/* Read the value of NOTIFY=, NULL when there was no "=".  Return 0, or -1 when
 * it is not one that RFC 3461, 4.1 allows. */
int smtpd__dsn_param_notify_parse(const char *value, unsigned *notify);

/* The same for RET= (4.3). */
int smtpd__dsn_param_ret_parse(const char *value, enum smtpd_ret *ret);

/* Whether VALUE, or NULL, is one of ENVID= (4.4): xtext of at most
 * SMTPD_ENVID_MAX characters, all printable ASCII. */
bool smtpd__dsn_param_envid_is_valid(const char *value);

/* Whether VALUE, or NULL, is one of ORCPT= (4.2): the kind of address, ";",
 * and xtext of printable ASCII, at most SMTPD_ORCPT_MAX in all. */
bool smtpd__dsn_param_orcpt_is_valid(const char *value);

/* Whether VALUE, or NULL, is one of parameter NAME, one of the four above, in
 * upper case. */
bool smtpd__dsn_param_is_valid(const char *name, const char *value);

/* What happened to a recipient (RFC 3464, 2.3.3). */
enum smtpd_dsn_action {
	SMTPD_DSN_FAILED,
	SMTPD_DSN_DELAYED,
	SMTPD_DSN_RELAYED, /* to a host that sends no reports of success */
};

/* Whether one who said NOTIFY wants to be told of ACTION (RFC 3461, 4.1); who
 * said nothing is told of failure and delay. */
bool smtpd__dsn_param_is_wanted(unsigned notify, enum smtpd_dsn_action action);

/*
 * A recipient in a report.  What comes from others may hold any bytes:
 * controls and those outside ASCII are written as "?".
 */
struct smtpd_dsn_rcpt {
	const char *address;  /* local@domain, as it was tried */
	const char *original; /* ORCPT= as on the wire; NULL: none.  One that
	                       * is not valid is left out. */
	enum smtpd_dsn_action action;
	const char *status;     /* "5.1.1"; another than such a code is
	                         * replaced by one that fits the action */
	const char *remote;     /* the host that was talked to last, or NULL */
	const char *diagnostic; /* what was wrong, "550 5.1.1 no such user";
	                         * NULL: nothing to tell */
	bool remote_said;       /* these are the remote host's words */
	time_t last_attempt;    /* 0: there was none */
};

/* A report; the texts may hold any bytes, as above. */
struct smtpd_dsn_report {
	const char *hostname;   /* ours */
	const char *to;         /* who is told: the sender of the original */
	const char *id;         /* of the original in our queue */
	const char *unique;     /* what the Message-ID of the report has before
	                         * the "@": letters, digits, ".", "-" */
	const char *envid;      /* ENVID= as on the wire; NULL: none */
	const char *references; /* the Message-ID of the original, "<...>";
	                         * NULL or "": none */
	unsigned char secret[16]; /* random: nobody could know the boundary
	                           * that is made from it */
	time_t arrival;           /* of the original */
	time_t now;
	time_t retry_until; /* for those that are delayed; 0: not told */
	bool whole;         /* the original follows with its body */
	bool eight_bit;     /* what follows of it has bytes outside ASCII: the
	                     * report must be sent as BODY=8BITMIME */
	const struct smtpd_dsn_rcpt *rcpts; /* one at least */
	size_t nrcpts;
};

/*
 * Write the report R to SINK with USER, up to the place where the original
 * follows, lines ended by CRLF.  The caller writes that: the whole message, or
 * its header with or without the empty line.  Lines have at most 78 characters
 * where there is a space to break them, never more than 998.  Return 0, or -1
 * once SINK did.
 */
int smtpd__dsn_begin(
    const struct smtpd_dsn_report *r, smtpd_sink_fn *sink, void *user);

/* Write what stands behind the original. */
int smtpd__dsn_end(
    const struct smtpd_dsn_report *r, smtpd_sink_fn *sink, void *user);

#endif
