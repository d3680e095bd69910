/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_SETTINGS_H
#define SMTPD_SETTINGS_H

/*
 * The settings of a server: limits, deadlines, what it takes, where its log
 * goes.
 */

#include <smtpd/auth.h>
#include <smtpd/version.h>

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* In a setting that counts something: as many as there may be. */
#define SMTPD_NO_LIMIT UINT32_MAX

/* In a setting that is a time: as long as it takes. */
#define SMTPD_NO_TIMEOUT UINT32_MAX

/* In max_message_size: any size; SIZE is announced without a number. */
#define SMTPD_NO_SIZE_LIMIT UINT64_MAX

/* How much a log line matters; each level includes those before it. */
enum smtpd_log_level {
	SMTPD_LOG_ERROR = 1, /* the server cannot do its work */
	SMTPD_LOG_WARNING,   /* something an operator should look at */
	SMTPD_LOG_INFO,      /* the end of a transaction, a refusal */
	SMTPD_LOG_DEBUG,     /* a connection came or went */
	SMTPD_LOG_TRACE,     /* each command and reply, but for secrets */
};

/*
 * Take one log line: printable ASCII without a line end, words and
 * "key=value" fields, no key twice.  A value stands in quotes where it needs
 * them, and what is no plain character in it is \xhh; addresses and the name
 * that the client gave itself stand in "<" and ">", see
 * smtpd_address_escape().  Called from any thread
 * of the server, also from smtpd_server_start() and smtpd_server_drain(),
 * several at a time: it may call nothing of this server.  TEXT lasts until it
 * returns.
 */
typedef void smtpd_log_fn(
    enum smtpd_log_level level, const char *text, void *user) SMTPD_NOEXCEPT;

/* What to do with bytes in a message that are forbidden (RFC 5321, 2.3.8;
 * RFC 5321, 4.5.2). */
enum smtpd_treatment {
	SMTPD_TREAT_DEFAULT, /* as said at each setting */
	SMTPD_TREAT_REFUSE,  /* 550 after the end of the message */
	SMTPD_TREAT_REPAIR,  /* a bare LF becomes CRLF, a NUL is left out, CRs
	                      * before CRLF are too, other CRs, one or several
	                      * in a row, are a space */
};

/* Switches for smtpd_settings.flags; others are refused. */
enum smtpd_flag {
	/* Take a command that a bare LF ends, for people at a terminal. */
	SMTPD_FLAG_BARE_LF_COMMANDS = 1 << 0,
	/* Announce DSN (RFC 3461), and take RET and ENVID of MAIL, NOTIFY and
	 * ORCPT of RCPT, whose values are checked: 501 5.5.4.  The program
	 * promises to send the reports that they ask for. */
	SMTPD_FLAG_DSN = 1 << 1,
	/* Take addresses without angle brackets, "MAIL FROM: a@b", as old
	 * devices send them; for clients that are known.  Since 0.2. */
	SMTPD_FLAG_BARE_ADDRESSES = 1 << 2,
	/* Log no line at the end of a transaction: the program does.  Since
	 * 0.2. */
	SMTPD_FLAG_NO_TRANSACTION_LOG = 1 << 3,
	/* Announce SMTPUTF8 (RFC 6531), and take the parameter of that name of
	 * MAIL, VRFY and EXPN, and where it stands addresses in UTF-8.  The
	 * program promises to store such mail as it is, or to send it on as
	 * such.  A library that was built without libidn2 and libunistring does
	 * not announce it, and refuses these addresses: 553 5.6.7.  Since
	 * 0.2. */
	SMTPD_FLAG_SMTPUTF8 = 1 << 4,
	/* Offer AUTH without TLS too: whoever listens learns the passwords.
	 * Since 0.2. */
	SMTPD_FLAG_AUTH_WITHOUT_TLS = 1 << 5,
	/* Take mail only from clients that have authenticated: until then MAIL,
	 * VRFY and EXPN are refused, 530 5.7.0.  Since 0.2. */
	SMTPD_FLAG_AUTH_REQUIRED = 1 << 6,
	/* Announce CHUNKING, and take messages by BDAT (RFC 3030) as well as by
	 * DATA.  The delivery callback reads them alike; where its message has
	 * several chunks, smtpd_body_read() answers each and waits for the
	 * next.  Handlers of BDAT are asked instead of those of DATA.  In LMTP
	 * a message is not refused before its last chunk.  Since 0.2. */
	SMTPD_FLAG_CHUNKING = 1 << 7,
	/* Announce BINARYMIME, which needs SMTPD_FLAG_CHUNKING, and take
	 * BODY=BINARYMIME: such a message has octets instead of lines, and the
	 * program promises to keep each as it is.  Since 0.2. */
	SMTPD_FLAG_BINARYMIME = 1 << 8,
	/* Announce REQUIRETLS (RFC 8689) in TLS, and take the parameter of that
	 * name of MAIL there; without TLS: 530 5.7.10.  The program promises to
	 * send such a message on as the parameter asks for, or back.  Since
	 * 0.2. */
	SMTPD_FLAG_REQUIRETLS = 1 << 9,
	/* Announce DELIVERBY (RFC 2852), and take BY= of MAIL.  The program
	 * promises to do what that asks for.  Since 0.2. */
	SMTPD_FLAG_DELIVERBY = 1 << 10,
	/* Announce MT-PRIORITY (RFC 6710), and take the parameter of that name
	 * of MAIL.  Whose priority counts the program says, and answers 250
	 * 2.3.6 where it takes another than was said.  Since 0.2. */
	SMTPD_FLAG_MT_PRIORITY = 1 << 11,
	/* Start without a listener as well: connections come by
	 * smtpd_server_adopt().  Since 0.2. */
	SMTPD_FLAG_ADOPTS = 1 << 12,
	/* Ask the kernel for the user of each client on this host that comes
	 * over TCP, as is known over a UNIX socket: max_per_user holds for it
	 * then, in the place of what holds for its address.  Where the kernel
	 * does not tell, as of a socket that was closed already, nothing
	 * changes.  Linux only.  Since 0.2. */
	SMTPD_FLAG_LOCAL_USERS = 1 << 13,
};

/*
 * The settings of a server.  Zero, or NULL, means the default that stands
 * beside each; it is a limit everywhere that a limit makes sense.
 */
struct smtpd_settings {
	size_t size; /* SMTPD_SETTINGS_INIT */

	/* The server's name in the greeting, in EHLO and in Received.
	 * Default: the name of the machine. */
	const char *hostname;

	unsigned flags; /* of enum smtpd_flag; default none */

	/* Connections, in all, from one address, from one network (IPv4 /24,
	 * IPv6 /64), and of one user over UNIX sockets.  Above: 421 4.3.2 or
	 * 421 4.7.0, and close.  The last tenth of all is kept for addresses
	 * and users that have none open, and root may have a tenth more, and
	 * one.  Where there are too many in all, the one that has been silent
	 * longest, for ten seconds at least, makes room (421 4.3.2), unless
	 * the new one would be refused all the same. */
	uint32_t max_connections; /* 1000 */
	uint32_t max_per_address; /* 20 */
	uint32_t max_per_network; /* 50 */
	uint32_t max_per_user;    /* 100; root: no limit */

	/* Recipients of one transaction, never under 100: 452 4.5.3.  LIMITS
	 * tells the clients (RFC 9422), up to 999999. */
	uint32_t max_recipients; /* 1000 */

	/* Octets of one message: 552 5.3.4.  Twice as much is read and thrown
	 * away before the session is closed. */
	uint64_t max_message_size; /* 52428800 */

	/* Octets of a command line with its CRLF, never under 512: 500 5.5.2.
	 * The grammar bounds what one may hold in any case.  MAIL may have
	 * 1258, RCPT 1048, VRFY and EXPN 521, AUTH 12288, also where this is
	 * less, since extensions make them longer. */
	uint32_t max_command_line; /* 2048; at most 16384 */

	/* Octets of a line in a message with its CRLF, never under 1000:
	 * 554 5.6.0.  SMTPD_NO_LIMIT: max_message_size alone holds.  Hosts need
	 * to take no more than 1000 (RFC 5321, 4.5.3.1.6). */
	uint32_t max_text_line; /* 65536 */

	/* Transactions of one session: 421 4.7.0.  LIMITS tells this too. */
	uint32_t max_transactions; /* 1000 */

	/* Refused commands of one session since its last accepted message:
	 * from the first number on each is delayed by tarpit_ms times one to
	 * four, at the second: 421 4.7.0.  Ten temporary refusals count as one,
	 * and so does each command that does nothing (NOOP, RSET, HELP, VRFY,
	 * EXPN, EHLO again) after 100 of them.  20 refusals are logged. */
	uint32_t errors_soft; /* 5 */
	uint32_t errors_hard; /* 20 */
	uint32_t tarpit_ms;   /* 1000; at most 3600000 */

	/* Received: headers in a message (RFC 5321, 6.3): 554 5.4.6. */
	uint32_t max_hops; /* 100 */

	/* Milliseconds that the server waits for the client, its own time not
	 * counted: without a byte, for one whole command, and in the session:
	 * 421 4.4.2; and for room for a reply: the connection is closed.  A
	 * message that keeps min_rate may end after session_timeout_ms. */
	uint32_t idle_timeout_ms;    /* 300000 */
	uint32_t command_timeout_ms; /* 300000 */
	uint32_t write_timeout_ms;   /* 60000 */
	uint32_t session_timeout_ms; /* 3600000 */

	/* For the whole handshake of TLS: the connection is closed. */
	uint32_t handshake_timeout_ms; /* 30000 */

	/* Octets of a message for each second that the server waits for them.
	 * A client that has fallen behind by the longer of idle_timeout_ms and
	 * this window gets 421 4.4.2; a fast beginning buys no time. */
	uint32_t min_rate;       /* 500 */
	uint32_t rate_window_ms; /* 60000 */

	/* How long to wait before the greeting for clients that talk first;
	 * they are sent away in any case (521 5.5.1).  Those that may say
	 * XCLIENT do not wait. */
	uint32_t greet_delay_ms; /* 0 */

	/* A line end without CR, and a NUL, in a message. */
	enum smtpd_treatment bare_lf; /* repair; refuse: 550 5.5.2 */
	enum smtpd_treatment nul;     /* refuse: 550 5.6.0 */

	/* The stack of each session's thread, beside static thread data.  The
	 * library uses less than 32768, which is the least, as is
	 * PTHREAD_STACK_MIN; the rest is for handlers. */
	size_t stack_size; /* 262144, or PTHREAD_STACK_MIN + 131072 if more */

	/* Where log lines up to log_level go; NULL: nowhere. */
	smtpd_log_fn *log;
	void *log_user;
	enum smtpd_log_level log_level; /* SMTPD_LOG_INFO */

	/* A CR without LF in a message.  Since 0.2. */
	enum smtpd_treatment bare_cr; /* refuse: 550 5.5.2 */

	/* The domain that addresses without one are in, <root> say, for clients
	 * that are programs of this host.  <postmaster> stays as it is.  NULL:
	 * they are refused, 501 5.1.7 or 5.1.3.  Since 0.2. */
	const char *default_domain;

	/* For the whole header of a proxy, see smtpd_server_add_proxy(): the
	 * connection is closed.  Since 0.2. */
	uint32_t proxy_timeout_ms; /* 5000 */

	/* New connections from one address, and from one network as above: so
	 * many at once, and so many more, evenly, in each window of so many
	 * milliseconds.  Above: 421 4.7.0, and close.  And recipients that they
	 * name: 450 4.7.0.  UNIX sockets, and those who speak for others (see
	 * smtpd_server_add_proxy()), are not counted.  Since 0.2. */
	uint32_t connect_rate_per_address; /* no limit */
	uint32_t connect_rate_per_network; /* no limit */
	uint32_t connect_rate_ms;          /* 60000 */
	uint32_t rcpt_rate_per_address;    /* no limit */
	uint32_t rcpt_rate_per_network;    /* no limit */
	uint32_t rcpt_rate_ms;             /* 60000 */

	/* AUTH (RFC 4954): who clients are, asked of AUTH (see auth.h), with
	 * AUTH_USER.  NULL: the library has no mechanism of its own.  Since
	 * 0.2. */
	smtpd_auth_fn *auth;
	void *auth_user;

	/* The mechanisms, with blanks between, at most 120 bytes, as EHLO shows
	 * them: in TLS, unless flags say otherwise, and until one succeeded.
	 * PLAIN, LOGIN, SCRAM-SHA-256, OAUTHBEARER and XOAUTH2 are the
	 * library's, unless a handler of AUTH answers; others are for handlers.
	 * SCRAM-SHA-256 is left out of a library without TLS.  NULL: those that
	 * need no more than a password, "PLAIN LOGIN", if auth is set.  Since
	 * 0.2. */
	const char *auth_mechanisms;

	/* Any text that only this host knows, and the iterations that all
	 * users' keys have: by these a name that SCRAM refuses is given a salt
	 * of 16 bytes, always the same, and a password that is refused costs
	 * the work that a key's would.  NULL: another at each start, by which
	 * one can tell who is no user.  Since 0.2. */
	const char *auth_secret;
	uint32_t auth_iterations; /* SMTPD_SCRAM_ITERATIONS */

	/* Failed authentications (535) of one session: the last is answered 421
	 * 4.7.0.  The reply to each comes so many milliseconds after the
	 * client's last word.  Since 0.2. */
	uint32_t max_auth_failures; /* 3 */
	uint32_t auth_delay_ms;     /* 1000; at most 3600000 */

	/* And those from one address, and from one network, whatever their
	 * sessions, counted as the rates above are.  Beyond, AUTH is refused
	 * before the client shows anything, 421 4.7.0.  Since 0.2. */
	uint32_t auth_failure_rate_per_address; /* 20 */
	uint32_t auth_failure_rate_per_network; /* 50 */
	uint32_t auth_failure_rate_ms;          /* 600000 */

	/* The longest silence between two commands while nine tenths of
	 * max_connections, or more, are taken: when another client comes, those
	 * that have been silent so long make room (421 4.3.2), the longest
	 * silent first, until there are fewer.  Since 0.2. */
	uint32_t crowded_idle_timeout_ms; /* 30000 */

	/* Octets of memory that all transactions take together for their
	 * recipients and parameters, beyond 8 KB each: 452 4.3.1.  Messages are
	 * not in it: of each the library holds 64 KB at a time, and where there
	 * are filters 64 KB more, and as much for a body that one gave it.
	 * SMTPD_NO_SIZE_LIMIT: as much as there is.  Since 0.2. */
	uint64_t max_memory; /* 268435456 */

	/* An absolute path, where large messages are kept while filters see
	 * them, see filter.h, in files without a name; and the octets of all
	 * these files together: 452 4.3.1.  SMTPD_NO_SIZE_LIMIT: as many as
	 * there is room for.  Since 0.2. */
	const char *temp_directory; /* "/var/tmp" */
	uint64_t max_temp_size;     /* 1073741824 */

	/* The seconds in which no message can be delivered, told with
	 * SMTPD_FLAG_DELIVERBY: one that is to be returned after less is
	 * refused at once, 554 5.4.7.  At most 999999999.  Since 0.2. */
	uint32_t min_deliver_by; /* 0 */

	/* Announce FUTURERELEASE (RFC 4865), and take HOLDFOR= and HOLDUNTIL=
	 * of MAIL for so many seconds; later: 501 5.5.4.  The program promises
	 * to hold the message until then.  It is for clients that submit mail,
	 * not for hosts that relay it.  0: not taken.  At most 999999999.
	 * Since 0.2. */
	uint32_t max_future_release; /* 0 */

	/* The name of the policy by which priorities are given, 1 to 20
	 * letters, digits and hyphens, told with SMTPD_FLAG_MT_PRIORITY: that
	 * of a register, as "MIXER".  NULL: not told.  Since 0.2. */
	const char *priority_policy;

	/* Milliseconds from the end of a message to the return of filters and
	 * the delivery callback, while the client waits for the reply: one that
	 * gives up sends the message again (RFC 1047).  From the first on that
	 * is warned of in the log, and counted (slow_deliveries).  At the
	 * second smtpd_session_cancel() is triggered, and a callback that
	 * returns later has failed if it did not refuse (451 4.3.0): it must
	 * keep nothing.  Since 0.2. */
	uint32_t delivery_warning_ms; /* 60000 */
	uint32_t delivery_timeout_ms; /* no timeout */
};

#define SMTPD_SETTINGS_INIT SMTPD_INIT(smtpd_settings)

#ifdef __cplusplus
}
#endif

#endif
