/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_GRAMMAR_DSN_H
#define SMTPD_GRAMMAR_DSN_H

/*
 * Delivery status notifications (RFC 3464; RFC 6533, 4): the text of a report,
 * up to and after the message that it is about.  A report may be about some
 * messages of one sender, each recipient about its own.
 */

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#include "base/sink.h"
#include "grammar/dsn_param.h"

/*
 * A recipient in a report.  What comes from others may hold any bytes: controls
 * are written as "?", and so are those outside ASCII where there may be none.
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
	unsigned attempts;      /* FAILED at the end of its life: how many there
	                         * were; else 0 */
	bool in_doubt;          /* a copy may have arrived, unconfirmed */
	const struct smtpd_dsn_original *about; /* NULL: the report's */
};

/* A message that a report is about. */
struct smtpd_dsn_original {
	const char *id;      /* in our queue */
	const char *subject; /* its own; NULL or "": none */
	const char *date;
};

/* Octets that make the boundary of a report. */
#define SMTPD_DSN_SECRET_SIZE 16

/* A report; the texts may hold any bytes, as above. */
struct smtpd_dsn_report {
	const char *hostname;   /* ours */
	const char *to;         /* the sender of the original, who is told */
	const char *postmaster; /* an address to ask for help */
	struct smtpd_dsn_original about; /* the original, or the first of some:
	                                  * what is said of the original below
	                                  * is said of that one */
	size_t others;                   /* how many more there are */
	const char *unique;     /* of the report: what its Message-ID has before
	                         * the "@" */
	const char *envid;      /* ENVID= as on the wire; NULL: none */
	const char *references; /* the Message-ID of the original, "<...>";
	                         * NULL or "": none */
	unsigned char secret
	    [SMTPD_DSN_SECRET_SIZE]; /* random: nobody could know the boundary
	                           * that is made from it */
	time_t arrival;              /* of the original */
	time_t now;
	time_t retry_until; /* for those that are delayed; 0: not told */
	bool whole;         /* the original follows with its body */
	bool eight_bit;     /* what follows of it has bytes outside ASCII */
	bool global;        /* its header is UTF-8 (RFC 6533, 4) */
	bool utf8; /* TO needs SMTPUTF8, so that its hosts have it, and the
	            * report may be UTF-8 itself (RFC 6533, 4.5) */
	bool tls_optional; /* the original says "TLS-Required: No", and so does
	                    * the report (RFC 8689, 5) */
	const struct smtpd_dsn_rcpt *rcpts; /* one at least */
	size_t nrcpts;
};

/* Whether the report R has bytes outside ASCII: it must be sent as
 * BODY=8BITMIME. */
bool smtpd__dsn_is_eight_bit(const struct smtpd_dsn_report *r);

/* Whether what follows of the original must be quoted-printable: hosts without
 * SMTPUTF8 may have to pass it on (RFC 6533, 4.5). */
bool smtpd__dsn_is_quoted(const struct smtpd_dsn_report *r);

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
