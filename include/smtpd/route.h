/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_ROUTE_H
#define SMTPD_ROUTE_H

/*
 * Routes of a queue: where mail goes that does not go to the hosts which the
 * DNS names for its recipients.
 *
 *	const struct smtpd_route_target store = {
 *		SMTPD_ROUTE_TARGET_INIT,
 *		.kind = SMTPD_ROUTE_LMTP,
 *		.host = "/run/dovecot/lmtp",
 *	};
 *	const struct smtpd_route routes[] = {
 *		{ SMTPD_ROUTE_INIT, "example.org", &store, 1 },
 *	};
 *	struct smtpd_queue_settings settings = {
 *		SMTPD_QUEUE_SETTINGS_INIT,
 *		.routes = routes,
 *		.nroutes = 1,
 *	};
 */

#include <smtpd/client.h>
#include <smtpd/outgoing.h>
#include <smtpd/version.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A message that a route of kind SMTPD_ROUTE_LOCAL hands to the program.  It
 * belongs to the library, and may grow. */
struct smtpd_local {
	const char *id; /* of the message in the queue */

	/* The recipients that have this route, and have not come to an end. */
	const struct smtpd_outgoing_envelope *envelope;

	/* The content, LENGTH octets, which READ gives one after the other. */
	uint64_t length;
	smtpd_read_fn *read;
	void *read_user;
};

/*
 * Deliver LOCAL.  Called on a thread of the queue, also on several at a time,
 * and may block; the queue's stop waits for it.  Must return 200 to 299 when
 * the recipients have it, 400 to 499 to be asked again later, 500 to 599 to
 * have that reported to the sender; anything else counts as 451.  A recipient
 * that smtpd_local_reply() was called for has that reply instead.
 */
typedef int smtpd_local_fn(
    struct smtpd_local *local, void *user) SMTPD_NOEXCEPT;

/*
 * Set the reply of recipient RCPT of LOCAL's envelope: CODE as above, and TEXT,
 * which may begin with an enhanced code ("5.2.2 Mailbox full"); NULL: none.
 * During the call of a smtpd_local_fn only.  Return 0, or -1 with errno EINVAL
 * when there is no such recipient or code.  Since 0.2.
 */
SMTPD_API int smtpd_local_reply(
    struct smtpd_local *local, size_t rcpt, int code, const char *text);

/* What a target is. */
enum smtpd_route_kind {
	SMTPD_ROUTE_MX,    /* the hosts of the recipient's domain */
	SMTPD_ROUTE_HOST,  /* a host, by SMTP */
	SMTPD_ROUTE_LMTP,  /* a host or a UNIX socket, by LMTP (RFC 2033) */
	SMTPD_ROUTE_ERROR, /* nowhere: it is reported to the sender */
	SMTPD_ROUTE_LOCAL, /* the program's callback */
};

/* Where mail goes. */
struct smtpd_route_target {
	size_t size; /* SMTPD_ROUTE_TARGET_INIT */
	enum smtpd_route_kind kind;

	/* Of HOST and LMTP: a name, whose own addresses are meant, or an
	 * address; of LMTP also the path of a socket, from its "/" on. */
	const char *host;
	uint16_t port;  /* 25; 465 with tls_first; LMTP has no default, and
	                 * never 25 (RFC 2033, 5) */
	bool tls_first; /* TLS from the first byte (RFC 8314) */

	/* For AUTH, which happens only in TLS with a good certificate; NULL:
	 * none. */
	const char *user;
	const char *password;

	/* As in smtpd_client_settings: asked for the secret in the place of
	 * PASSWORD, on any thread, also on several at a time; and the
	 * mechanisms that alone are used. */
	smtpd_credentials_fn *credentials;
	void *credentials_user;
	const char *mechanisms;

	/* Of ERROR: the reason in the report, which may begin with an enhanced
	 * code ("5.1.1 No such user").  Of LOCAL: what it is called, and told
	 * from others by; NULL: "local". */
	const char *text;

	/* Of LOCAL. */
	smtpd_local_fn *deliver;
	void *deliver_user;

	/* Of MX, HOST, and LMTP with a port: the addresses that connections
	 * come from, one of each family at most; a family without one has that
	 * of the client in the settings.  NULL, 0: all have. */
	const struct smtpd_source *sources;
	size_t nsources;
};

#define SMTPD_ROUTE_TARGET_INIT SMTPD_INIT(smtpd_route_target)

/* How many targets a route may have. */
#define SMTPD_ROUTE_TARGETS_MAX 8

/* One route. */
struct smtpd_route {
	size_t size; /* SMTPD_ROUTE_INIT */

	/*
	 * The recipients that it is for; the case of letters does not matter:
	 *
	 *	example.org       those at this domain
	 *	.example.org      those at any domain below it
	 *	user@example.org  this one
	 *	*                 all
	 *	from:PATTERN      all recipients of a message whose sender is
	 *	                  one of those; from:* is all messages
	 */
	const char *pattern;

	/* NTARGETS of them, which are tried in turn: the next one when a host
	 * cannot be reached, or does not take the mail for now.  ERROR and
	 * LOCAL stand alone. */
	const struct smtpd_route_target *targets;
	size_t ntargets;
};

#define SMTPD_ROUTE_INIT SMTPD_INIT(smtpd_route)

/* Return 0 if a queue accepts ROUTE, or -1 with errno, and with the reason in
 * ERROR of SIZE bytes: EINVAL, ENOMEM.  Any thread.  Since 0.2. */
SMTPD_API int smtpd_route_check(
    const struct smtpd_route *route, char *error, size_t size);

/* How mail to one domain is secured. */
struct smtpd_security_rule {
	size_t size;        /* SMTPD_SECURITY_RULE_INIT */
	const char *domain; /* of the recipient */
	enum smtpd_security security;

	/* With SMTPD_SECURITY_REQUIRED, names of which the certificate must
	 * bear one, whatever the host is called: who can forge the MX of the
	 * domain gains nothing then.  NULL: the host's name is good. */
	const char *const *names;
	size_t nnames;
};

#define SMTPD_SECURITY_RULE_INIT SMTPD_INIT(smtpd_security_rule)

#ifdef __cplusplus
}
#endif

#endif
