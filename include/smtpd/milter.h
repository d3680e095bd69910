/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_MILTER_H
#define SMTPD_MILTER_H

/*
 * Milters: filters that run as programs of their own (rspamd, OpenDKIM,
 * OpenDMARC, ClamAV and others), asked over a socket by the milter protocol,
 * versions 2 to 6.
 *
 *	struct smtpd_milter *m = smtpd_milter_create("unix:/run/opendkim.sock",
 *	    NULL);
 *
 *	if (m == NULL || smtpd_server_add_milter(srv, m) == -1)
 *		...
 *	...after smtpd_server_destroy(srv):
 *	smtpd_milter_destroy(m);
 *
 * A milter is asked in the order in which it was added among filters, handlers
 * and events.  It hears of a client when that says MAIL: connect, HELO and MAIL
 * are told then, so a client without mail costs it nothing, and one that did
 * not answer is tried again with the next message.  If it refuses the client,
 * or the name in HELO, its reply is the one to MAIL.  What it changes in a
 * message is collected, and made together when it has said that the message may
 * pass: of one that breaks off nothing is left.
 */

#include <smtpd/filter.h>
#include <smtpd/server.h>
#include <smtpd/settings.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A milter and its connections: opaque. */
struct smtpd_milter;

/* What becomes of a message that a milter could not judge: it is not there,
 * broke off, took too long, or said what is no answer. */
enum smtpd_milter_failure {
	SMTPD_MILTER_FAILURE_TEMPFAIL, /* 451 4.7.1 */
	SMTPD_MILTER_FAILURE_ACCEPT,   /* as if there were no milter */
	SMTPD_MILTER_FAILURE_REJECT,   /* 550 5.7.1 */
};

/* The settings of a milter; zero or NULL means the default beside each. */
struct smtpd_milter_settings {
	size_t size; /* SMTPD_MILTER_SETTINGS_INIT */

	enum smtpd_milter_failure failure; /* SMTPD_MILTER_FAILURE_TEMPFAIL */

	/* Milliseconds for a connection with what is agreed on at its
	 * beginning, for the answer to a command, and for that to the end of a
	 * message; the last begins anew, for an hour in all, when the milter
	 * says that it is still at work. */
	uint32_t connect_timeout_ms; /* 30000 */
	uint32_t command_timeout_ms; /* 30000 */
	uint32_t message_timeout_ms; /* 300000 */

	/* Macros: j, {daemon_name}, {mail_mailer} and {rcpt_mailer}. */
	const char *hostname;    /* the name of this machine */
	const char *daemon_name; /* "libsmtpd" */
	const char *mailer;      /* "esmtp" */

	/* Where log lines up to log_level go; NULL: nowhere. */
	smtpd_log_fn *log;
	void *log_user;
	enum smtpd_log_level log_level; /* SMTPD_LOG_INFO */
};

#define SMTPD_MILTER_SETTINGS_INIT SMTPD_INIT(smtpd_milter_settings)

/*
 * Make a milter that listens at ADDRESS: "unix:/path", "inet:port@host", or
 * "host:port" with or without "inet:" before it; an IPv6 address stands in
 * brackets.  SETTINGS (NULL: all defaults) and their texts are copied.  Nothing
 * is connected yet.  Return NULL with errno: EINVAL when ADDRESS is none or a
 * setting is wrong, ENOMEM.  Since 0.2.
 */
SMTPD_API struct smtpd_milter *smtpd_milter_create(
    const char *address, const struct smtpd_milter_settings *settings);

/* Free M, which no server may have any more; NULL is fine.  Since 0.2. */
SMTPD_API void smtpd_milter_destroy(struct smtpd_milter *m);

/* Ask M about each message of SRV; M must live longer than SRV, and may serve
 * several.  Before start.  Return 0 or -1.  Since 0.2. */
SMTPD_API int smtpd_server_add_milter(
    struct smtpd_server *srv, struct smtpd_milter *m);

#ifdef __cplusplus
}
#endif

#endif
