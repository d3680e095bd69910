/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_CLIENT_CLIENT_STATE_H
#define SMTPD_CLIENT_CLIENT_STATE_H

/* A connection to a server: what the modules of the client share. */

#include <smtpd/client.h>

#include <arpa/inet.h>

#include "base/sizes.h"
#include "client/sources.h"
#include "client/tls_policy.h"
#include "grammar/ehlo_limits.h"
#include "grammar/reply_parse.h"
#include "transport/stream.h"

/* Octets that are kept of what a server offers. */
#define SMTPD_OFFERS_MAX 8192

/* The offers of a server: "KEYWORD\0parameters\0", one behind the other. */
struct smtpd_offers {
	size_t len;
	char text[SMTPD_OFFERS_MAX];
};

/* What the user logs in by, while a connection is being opened. */
struct smtpd_login {
	const char *secret; /* NULL: none, or there is no user */
	bool is_token;
	struct smtpd_credentials *given; /* by the callback of the settings */
	bool renewed;    /* it was asked for another one, after a refusal */
	char status[64]; /* that the server refused a token with; "" */
	char *sent;      /* the longest line that was sent, in base64 */
};

/* Commands of a message that went out behind the content of another one. */
struct smtpd_client_ahead {
	const struct smtpd_outgoing *given; /* by the program; NULL: none */
	size_t written;                     /* of its commands */
};

struct smtpd_client {
	struct smtpd_client_settings set; /* with the defaults filled in, and a
	                                   * reference to its trust */
	char hostname[SMTPD_HOSTNAME_SIZE];
	struct smtpd_client_sources sources;
	const char *helo; /* the name of ours on this connection */
	char *user, *password, *mechanisms; /* copies */
	struct smtpd_login login;
	struct smtpd_trust *trust; /* of the last handshake, a reference; NULL:
	                            * there was none yet */
	struct smtpd_tls_policy policy;
	const char *dane_names[3]; /* of it, if a program set it */

	int fd; /* -1: not connected */
	struct smtpd_stream stream;
	char *buffers;

	/* As the target calls it, without brackets. */
	char host[SMTPD_HOSTNAME_SIZE];
	uint16_t port;
	char peer[SMTPD_ADDRESS_TEXT_SIZE];
	char tls_text[128]; /* the TLS of the last connection, also when that
	                     * is over: "TLSv1.3/SUITE/verified", or "none" */

	struct smtpd_tls_outcome outcome; /* of the same */

	struct smtpd_offers offers;
	struct smtpd_ehlo_limits limits; /* the server's (RFC 9422) */
	uint32_t mails;                  /* MAIL that was said to it */
	struct smtpd_peer_reply reply;   /* the last */
	struct smtpd_result result;
	enum smtpd_conversion conversion; /* of the last message */
	struct smtpd_result *results;     /* of the recipients of a message */
	size_t nresults, results_room;
	size_t awaited; /* commands without a reply yet */
	struct smtpd_client_ahead ahead;
	bool out_of_step;   /* in this transaction: no reply can be believed */
	bool no_bdat;       /* DATA is used, whatever is offered */
	bool no_group;      /* one command at a time, whatever is offered */
	bool timed_out;     /* in this transaction: the server took too long */
	bool group_lost;    /* for its reply to one of a group of commands */
	bool bdat_refused;  /* in this transaction: it is not known */
	bool is_full;       /* closed, for the server takes no more messages */
	bool offline;       /* it could not connect, by trouble of our own */
	bool hidden;        /* commands are not shown: they are secret */
	bool tls_is_good;   /* its session may be resumed */
	bool trusts_system; /* trust is what the system believes */

	/* Of the next handshake: since the last one failed by a server's
	 * signature that was not asked for. */
	bool legacy_tls;
};

#endif
