/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_SERVER_H
#define SMTPD_SERVER_H

/*
 * A server that receives mail: create, register, listen, start; drain and
 * destroy.  Any number of servers may live in a process.
 *
 * Threads: create to start, and destroy, from one thread at a time.  While
 * the server runs, smtpd_server_drain(), smtpd_server_count(),
 * smtpd_server_address() and smtpd_server_data() may be called from any
 * thread.  Serve, drain and destroy block, the others do not.  Handlers,
 * events and the delivery callback run on a thread of the server: those of one
 * session never overlap, those of different sessions do.  A session whose
 * client is silent has no thread, and may go on with another one: what belongs
 * to it is kept by smtpd_session_set_data(), not in thread-local memory.  The
 * thread has a stack of settings.stack_size bytes, all signals but those of
 * its own faults blocked (a child inherits that), and on Linux SCHED_BATCH,
 * unless start was called under another policy.
 *
 * Callbacks must return: no exception, longjmp() or pthread_exit() may leave
 * them.  From C++17 on they are noexcept.
 * After fork() a child must not use a server that runs, not even destroy it.
 *
 * The library touches no signal, locale or global state, prints nothing, and
 * never ends the process.
 *
 * A server that takes mail for one domain:
 *
 *	struct smtpd_settings st = { SMTPD_SETTINGS_INIT,
 *		.hostname = "mx.example.org" };
 *	struct smtpd_server *srv = smtpd_server_create(&st);
 *
 *	if (srv == NULL ||
 *	    smtpd_server_add_handler(srv, "RCPT", on_rcpt, NULL) == -1 ||
 *	    smtpd_server_set_deliver(srv, deliver, NULL) == -1 ||
 *	    smtpd_server_listen(srv, "[::]:25", 0) == -1 ||
 *	    smtpd_server_start(srv) == -1)
 *		errx(1, "%s", srv == NULL ? "no memory"
 *					  : smtpd_server_error(srv));
 *	...wait for a signal...
 *	smtpd_server_drain(srv, 10000);
 *	smtpd_server_destroy(srv);
 */

#include <smtpd/session.h>
#include <smtpd/settings.h>
#include <smtpd/tls.h>
#include <smtpd/version.h>

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A server: opaque. */
struct smtpd_server;

/*
 * Make a server with a copy of SETTINGS (NULL: all defaults), its texts
 * included.  Return NULL with errno: ENOMEM, or EINVAL when the size of
 * SETTINGS is wrong.  A setting out of its range is reported by
 * smtpd_server_start() and smtpd_server_serve().  Since 0.1.
 */
SMTPD_API struct smtpd_server *smtpd_server_create(
    const struct smtpd_settings *settings);

/*
 * Stop at once if it runs (as smtpd_server_drain() with 0), free everything,
 * call the destructor of the server's data.  It waits for handlers: they must
 * end.  SRV may be NULL.  Not from a handler.  Since 0.1.
 */
SMTPD_API void smtpd_server_destroy(struct smtpd_server *srv);

/*
 * Why the last call on SRV returned -1: a sentence without a line end, ""
 * when none did.  errno says it as well: EINVAL for an argument that is wrong
 * or NULL, EBUSY for a call that is for before the start, when SRV has started
 * or served (then nothing changes), ENOMEM.  The sentence is of calls of this
 * thread, belongs to SRV, and lasts until the next.  Since 0.1.
 */
SMTPD_API const char *smtpd_server_error(const struct smtpd_server *srv);

/* Keep DATA for the life of SRV; DESTROY (or NULL) is called with it by
 * smtpd_server_destroy(), or at once when it is replaced.  Before start.
 * Return 0 or -1.  Since 0.1. */
SMTPD_API int smtpd_server_set_data(struct smtpd_server *srv, void *data,
    void (*destroy)(void *) SMTPD_NOEXCEPT);

/* What smtpd_server_set_data() kept, or NULL.  Since 0.1. */
SMTPD_API void *smtpd_server_data(const struct smtpd_server *srv);

/*
 * Called when a command arrived whose syntax is valid and whose place in the
 * dialogue is right.  Return 0, and the library acts and answers as usual.
 * Or return the code that smtpd_reply() set, which then is the reply:
 *
 * - 2xx (for DATA 354): the library acts as usual, but says this instead.
 *   For a verb that the library refuses by itself (VRFY, EXPN) and for one
 *   of the caller's own, there is nothing more to do; and AUTH has succeeded.
 * - 4xx, 5xx: nothing happens, the state stays as it was.
 * - 421: and then the session is closed.
 *
 * Handlers of BDAT are asked only with SMTPD_FLAG_CHUNKING, and once for each
 * message, at its first chunk; 2xx is as good as 0, since the library answers
 * each chunk, and a refusal ends the transaction (RFC 3030, 2).  NOOP between
 * two chunks is answered without its handlers; any other command but BDAT gives
 * the message up, and its handlers are asked when the delivery callback has
 * returned.
 *
 * SMTPD_LATER is reserved.
 */
typedef int smtpd_handler_fn(struct smtpd_session *s,
    const struct smtpd_command *command, void *user) SMTPD_NOEXCEPT;

/*
 * Call FN with USER for each command VERB, which is one of the library (EHLO,
 * HELO, LHLO, STARTTLS, AUTH, MAIL, RCPT, DATA, BDAT, RSET, NOOP, QUIT, HELP,
 * VRFY, EXPN, SEND, SOML, SAML, TURN, XCLIENT, XFORWARD) or a new one, which is
 * made as smtpd_server_add_verb() does without flags.  The handlers of a verb
 * are a chain: they are asked in the order in which they were added, the first
 * result other than 0 wins, and those behind it are not asked; the library acts
 * last.  Those of EHLO are asked neither about HELO nor about LHLO, which has
 * the place of both in LMTP: what is good for all three is added to each.
 * Without a handler for RCPT every recipient is refused (550 5.7.1).
 * Before start.  Return 0, or -1: VERB is not 1 to 12 letters, or there is no
 * memory.  Since 0.1.
 */
SMTPD_API int smtpd_server_add_handler(struct smtpd_server *srv,
    const char *verb, smtpd_handler_fn *fn, void *user);

/*
 * Add FN with USER, which only refuses, to the handlers of VERB, in upper case,
 * that is there: for RCPT, so that a server without another handler still
 * refuses every recipient.  Before start.  Return 0 or -1.  Since 0.2.
 */
SMTPD_API int smtpd_server_add_check(struct smtpd_server *srv, const char *verb,
    smtpd_handler_fn *fn, void *user);

/* Where and how a new verb may stand. */
enum smtpd_verb_flag {
	SMTPD_VERB_HELLO = 1 << 0,       /* only after EHLO or HELO */
	SMTPD_VERB_TRANSACTION = 1 << 1, /* only between MAIL and its end */
	SMTPD_VERB_PIPELINED = 1 << 2,   /* other commands may follow it in
	                                  * one group (RFC 2920) */
	SMTPD_VERB_SECRET = 1 << 3,      /* its argument is neither logged nor
	                                  * left in memory; since 0.2 */
};

/*
 * Add verb NAME of 1 to 12 letters, FLAGS of enum smtpd_verb_flag, answered
 * by FN with USER, its first handler (NULL: none); where all return 0, by 250
 * 2.0.0.  Before start.  Return 0 or -1 (NAME is not a verb, or already there:
 * EEXIST; no memory).  Since 0.1.
 */
SMTPD_API int smtpd_server_add_verb(struct smtpd_server *srv, const char *name,
    unsigned flags, smtpd_handler_fn *fn, void *user);

/* Whether the client of S is told of a keyword: asked at each EHLO, by a
 * function that neither replies nor waits.  Since 0.2. */
typedef bool smtpd_keyword_fn(
    struct smtpd_session *s, void *user) SMTPD_NOEXCEPT;

/*
 * Announce KEYWORD, with its parameters if it has any, in the reply to EHLO: to
 * all, or to those for whom FN, with USER, says so.  Before start.  Return 0 or
 * -1 (not printable ASCII; more than 600 bytes of keywords in all: ENOSPC; no
 * memory).  Since 0.1; to some since 0.2.
 */
SMTPD_API int smtpd_server_add_keyword(
    struct smtpd_server *srv, const char *keyword);
SMTPD_API int smtpd_server_add_keyword_if(struct smtpd_server *srv,
    const char *keyword, smtpd_keyword_fn *fn, void *user);

/*
 * Take parameter NAME of VERB ("MAIL" or "RCPT") that otherwise is answered
 * 555 5.5.4.  Handlers see it, and say whether its value is good.  Before
 * start.  Return 0 or -1 (bad name, no memory).  Since 0.1.
 */
SMTPD_API int smtpd_server_add_param(
    struct smtpd_server *srv, const char *verb, const char *name);

/*
 * Expect a header of the PROXY protocol, of version 1 or 2, before the first
 * byte of every connection from NETWORK, TLS or not: "192.0.2.0/24",
 * "2001:db8::/32", an address, or "local" for UNIX sockets.  Such a connection
 * is that of the client whom the header names, for handlers, limits and log;
 * the proxy's own where it names none, as for LOCAL, UNKNOWN, and what is not
 * TCP.  The limits on an address do not count proxies.  Without a valid header
 * in time (settings.proxy_timeout_ms) the connection is closed without a word.
 * From elsewhere no header is taken.  Default: from nowhere.  Before start.
 * Return 0 or -1 (not a network, no memory).  Since 0.2.
 */
SMTPD_API int smtpd_server_add_proxy(
    struct smtpd_server *srv, const char *network);

/*
 * Let clients in NETWORK, as smtpd_server_add_proxy() has it, say by XCLIENT
 * that they speak for another, and by XFORWARD from whom a message came
 * (Postfix's XCLIENT_README, XFORWARD_README).  Both verbs are announced to
 * them alone, and are unknown to others.  They are filters in front of this
 * server, or tests: they can say anything, and the limits on an address do not
 * count them.
 *
 * After XCLIENT the session begins anew, with the connect event and 220.  With
 * ADDR its client is the one at that address, for handlers, limits and log;
 * with ADDR=[UNAVAILABLE] it is the filter again.  LOGIN authenticates nobody.
 * TLS goes on.  Default: nobody may.  Before start.  Return 0 or -1 (not a
 * network, no memory).  Since 0.2.
 */
SMTPD_API int smtpd_server_add_xclient(
    struct smtpd_server *srv, const char *network);

/*
 * Take responsibility for one message: read smtpd_body_read() until it
 * returns 0, and keep what it gave.  A 2xx from here is a promise: the
 * message is on stable storage.  Return 0 for 250 2.0.0 with the envelope's
 * id, or the code that smtpd_reply() set; smtpd_reply_rcpt() is for
 * one recipient alone.  What is left unread is read and dropped by the library,
 * and if that finds the message invalid, its own refusal is the reply.
 */
typedef int smtpd_deliver_fn(struct smtpd_session *s,
    const struct smtpd_envelope *envelope, struct smtpd_body *body,
    void *user) SMTPD_NOEXCEPT;

/* Call FN with USER for each message, instead of what was set before; without
 * one the server does not start.  Before start.  Return 0 or -1.  Since 0.1. */
SMTPD_API int smtpd_server_set_deliver(
    struct smtpd_server *srv, smtpd_deliver_fn *fn, void *user);

/* How a transaction ended. */
enum smtpd_end {
	SMTPD_END_DELIVERED, /* its message was answered with a 2xx, in LMTP for
	                      * one recipient at least */
	SMTPD_END_REFUSED,   /* its message was answered with 4xx or 5xx */
	SMTPD_END_RESET,     /* RSET, EHLO or HELO; with SMTPD_FLAG_CHUNKING
	                      * any command that gave the message up */
	SMTPD_END_CLOSED,    /* the session ended before its message did */
};

/* Why a session ended. */
enum smtpd_close {
	SMTPD_CLOSE_QUIT,    /* the client said QUIT */
	SMTPD_CLOSE_GONE,    /* the client went without QUIT */
	SMTPD_CLOSE_TIMEOUT, /* a deadline passed */
	SMTPD_CLOSE_REFUSED, /* a limit, a rule or a handler closed it */
	SMTPD_CLOSE_DRAINED, /* the server was stopping */
	SMTPD_CLOSE_ERROR,   /* the descriptor failed */
};

/* What a program may be told besides commands; NULL: not interested. */
struct smtpd_events {
	size_t size; /* SMTPD_EVENTS_INIT */

	/* A client is there, before the greeting and before anything was
	 * read; and once more after XCLIENT.  Return 0 to greet it, or what
	 * smtpd_reply() returned: 2xx replaces the text of the greeting, 4xx
	 * and 5xx are sent, and the session is closed. */
	int (*connect)(struct smtpd_session *s, void *user) SMTPD_NOEXCEPT;

	/* TLS is up: after STARTTLS, when all that the client said before is
	 * forgotten, or from the beginning, before the connect event. */
	void (*tls)(struct smtpd_session *s, void *user) SMTPD_NOEXCEPT;

	/* A transaction whose MAIL was accepted is over.  Exactly once for
	 * each.  CODE is the reply to its message, 0 when there was none; in
	 * LMTP, which has several, the first 2xx, or else the first.  The
	 * envelope has no recipient where none was accepted, even though a
	 * message came, by BDAT, and was refused. */
	void (*transaction_end)(struct smtpd_session *s,
	    const struct smtpd_envelope *envelope, enum smtpd_end how, int code,
	    void *user) SMTPD_NOEXCEPT;

	/* The session is over, after the end of its transaction.  Exactly
	 * once for each session whose connect event was called, XCLIENT or
	 * not. */
	void (*disconnect)(struct smtpd_session *s, enum smtpd_close why,
	    void *user) SMTPD_NOEXCEPT;

	void *user; /* given to each of them */
};

#define SMTPD_EVENTS_INIT SMTPD_INIT(smtpd_events)

/*
 * Add a copy of EVENTS to those of SRV.  All are told in the order in which
 * they were added, but for connect, where the first result other than 0 wins.
 * Before start.  Return 0 or -1.  Since 0.1.
 */
SMTPD_API int smtpd_server_add_events(
    struct smtpd_server *srv, const struct smtpd_events *events);

/* How to listen. */
enum smtpd_listen_flag {
	/* TLS from the first byte, as on port 465 (RFC 8314); a connection
	 * that comes while the server has no TLS is closed. */
	SMTPD_LISTEN_TLS = 1 << 0,
	SMTPD_LISTEN_ABSENT = 1 << 1, /* an address may come later; 0.2 */

	/* LMTP (RFC 2033) instead of SMTP: LHLO in the place of EHLO, and for
	 * each recipient a reply of its own to the message, see
	 * smtpd_reply_rcpt().  For a mail server that hands mail on to the
	 * mailboxes, over a UNIX socket or in a network that is trusted; never
	 * on port 25.  Since 0.2. */
	SMTPD_LISTEN_LMTP = 1 << 2,
};

/*
 * Bind to ADDRESS and listen: "192.0.2.1:25", "[2001:db8::1]:25", "[::]:25"
 * (IPv6 alone), port 0 for any free one, or an absolute path for a UNIX
 * socket, whose file is removed at the end.  FLAGS of enum smtpd_listen_flag.
 * One thread at a time.  Return 0 or -1 (not an address, in use, no right to
 * bind, 256 listeners, LMTP on port 25; errno says which).  Since 0.1; after
 * start since 0.2.
 */
SMTPD_API int smtpd_server_listen(
    struct smtpd_server *srv, const char *address, unsigned flags);

/*
 * Accept connections from FD, a stream socket that listens already, whether it
 * blocks or not.  It belongs to SRV from now on, which sets it not to block;
 * after a failure it is closed.  Before start.
 * Return 0 or -1.  Since 0.1.
 */
SMTPD_API int smtpd_server_listen_fd(
    struct smtpd_server *srv, int fd, unsigned flags);

/*
 * Hand listener I, as smtpd_server_address() counts them, on to another
 * process: return a duplicate of its descriptor, closed on exec, which is the
 * caller's.  After smtpd_server_share() SRV goes on accepting there.  After
 * smtpd_server_release() it does not, but for a connection that it is just
 * accepting; sessions go on, the file of a UNIX socket stays, and so does the
 * place of I in the count.  So clients wait for the next process to accept,
 * and none is refused.  From any thread, also while SRV runs.  Return -1 when
 * there is no listener I, or SRV drains.  Since 0.2.
 */
SMTPD_API int smtpd_server_share(struct smtpd_server *srv, size_t i);
SMTPD_API int smtpd_server_release(struct smtpd_server *srv, size_t i);

/*
 * Offer STARTTLS, and TLS on listeners that begin with it, with TLS from the
 * next session on; sessions that run keep what they have.  NULL: no more TLS.
 * SRV takes a reference of its own.  Any thread, also while SRV runs.  Return
 * 0, or -1 when TLS has no certificate; then all stays as it was.  Since 0.1.
 */
SMTPD_API int smtpd_server_set_tls(
    struct smtpd_server *srv, struct smtpd_tls *tls);

/* As smtpd_server_set_tls(), for listener I alone, as smtpd_server_address()
 * counts them; NULL: that of the server again.  Since 0.1. */
SMTPD_API int smtpd_server_set_listener_tls(
    struct smtpd_server *srv, size_t i, struct smtpd_tls *tls);

/*
 * The address of listener I, counted from 0, as smtpd_server_listen() takes
 * it, with the port that was given for 0; NULL when there are fewer.  It
 * belongs to SRV.  Since 0.1.
 */
SMTPD_API const char *smtpd_server_address(
    const struct smtpd_server *srv, size_t i);

/* The flags of listener I, as smtpd_server_address() counts them; 0 when there
 * are fewer.  Since 0.2. */
SMTPD_API unsigned smtpd_server_listen_flags(
    const struct smtpd_server *srv, size_t i);

/*
 * Begin to accept connections, each with a thread of its own while it is busy.
 * Returns at once: 0, or -1 (a setting out of range, no delivery callback, no
 * listener, no thread).  Since 0.1.
 */
SMTPD_API int smtpd_server_start(struct smtpd_server *srv);

/*
 * Take over FD, a connection that was accepted elsewhere: by an event loop, by
 * another process, or as one end of a socketpair.  A thread of SRV serves it as
 * one that came to a listener with FLAGS, SMTPD_LISTEN_TLS and
 * SMTPD_LISTEN_LMTP, and the limits hold for it: one too many is sent away with
 * a reply.  FD belongs to SRV from now on, which lets it block; after a failure
 * it is closed.  Returns at once: 0, or -1 with errno: EINVAL when SRV does not
 * run or FLAGS are wrong, ENOTCONN, EPROTOTYPE and the like for what is no
 * connection.  Any thread.  Since 0.2.
 */
SMTPD_API int smtpd_server_adopt(
    struct smtpd_server *srv, int fd, unsigned flags);

/*
 * Run one session with the calling thread, reading from IN and writing to OUT
 * (which may be the same), instead of or beside listeners: for inetd, tests
 * and fuzzing.  The descriptors stay open.  Returns when the session is over:
 * 0, or -1 when it could not begin.  FLAGS are SMTPD_LISTEN_TLS and
 * SMTPD_LISTEN_LMTP.  Several threads may do so at a time, once
 * smtpd_server_start() or a first call of this returned.  Since 0.1; with FLAGS
 * since 0.2.
 */
SMTPD_API int smtpd_server_serve(
    struct smtpd_server *srv, int in, int out, unsigned flags);

/*
 * Stop: accept no more, tell waiting clients 421 4.3.2, let messages that are
 * being received finish for up to TIMEOUT_MS, cut off the rest.  Return 0, or
 * the number that was cut off, at most a second later: a handler that does not
 * end by then is left in its session, and counts in connections_now.  The
 * server cannot be started again.  From any thread; from a session's own it
 * does nothing but return -1 with EDEADLK.  Since 0.1.
 */
SMTPD_API int smtpd_server_drain(struct smtpd_server *srv, uint32_t timeout_ms);

/*
 * The same in parts, for programs with an event loop, which may not block.
 * Stop: accept no more, tell waiting clients 421 4.3.2, and return; any thread,
 * also a session's own, but no signal handler.  Wait: until no session of a
 * stopped server is left, for up to TIMEOUT_MS; return 0, or -1 with ETIMEDOUT,
 * EINVAL when it was not stopped, EDEADLK in a handler.  Fd: a descriptor that
 * is readable from then on, for the loop to watch; it belongs to SRV, and must
 * not be read; -1 with errno when there is none.  Then smtpd_server_destroy()
 * does not block.  smtpd_server_drain() cuts off what takes too long.  Since
 * 0.2.
 */
SMTPD_API void smtpd_server_stop(struct smtpd_server *srv);
SMTPD_API int smtpd_server_wait(struct smtpd_server *srv, uint32_t timeout_ms);
SMTPD_API int smtpd_server_fd(struct smtpd_server *srv);

/* What happened since the server was created, but for those "now". */
struct smtpd_server_counters {
	size_t size; /* SMTPD_SERVER_COUNTERS_INIT */

	uint64_t connections; /* accepted from a listener, or served */
	uint64_t connections_now;
	uint64_t threads_now;      /* with a session or waiting for one */
	uint64_t messages;         /* answered with 2xx */
	uint64_t messages_refused; /* answered with 4xx or 5xx */
	uint64_t recipients;       /* accepted at RCPT */
	uint64_t bytes_in;         /* read from clients */
	uint64_t bytes_out;        /* written to clients */
	uint64_t commands;
	uint64_t tls; /* handshakes that succeeded */

	/* Refusals, by cause. */
	uint64_t refused_connections; /* a limit on connections */
	uint64_t refused_senders;     /* MAIL, for another reason than below */
	uint64_t refused_recipients;  /* RCPT, likewise */
	uint64_t refused_size;        /* a message or SIZE= too large */
	uint64_t refused_content;     /* bare CR or LF, NUL, long line, loop */
	uint64_t refused_syntax;      /* commands that were no commands */
	uint64_t refused_protocol;    /* talk too early, forbidden pipelining,
	                               * other protocols, no PROXY header */
	uint64_t refused_abuse;       /* too many errors or transactions */
	uint64_t refused_tls;         /* handshakes that failed */

	/* Errors. */
	uint64_t timeouts;
	uint64_t disconnects; /* clients that went without QUIT */
	uint64_t errors;      /* of the system: no memory, thread, descriptor */

	/* Messages, whatever became of them, with a line of more than the 1000
	 * octets that every host takes.  Since 0.2. */
	uint64_t long_lines;

	/* AUTH that succeeded, and that did not; the latter with commands that
	 * came before it where it is required.  Since 0.2. */
	uint64_t authenticated;
	uint64_t refused_auth;

	/* Messages whose delivery took as long as settings.delivery_warning_ms.
	 * Since 0.2. */
	uint64_t slow_deliveries;
};

#define SMTPD_SERVER_COUNTERS_INIT SMTPD_INIT(smtpd_server_counters)

/* Copy the counters to OUT, whose size is set.  Each is exact; together they
 * may be a moment apart while sessions run.  Any thread.  Return 0, or -1 with
 * errno EINVAL when the size is not set.  Since 0.1. */
SMTPD_API int smtpd_server_count(
    const struct smtpd_server *srv, struct smtpd_server_counters *out);

#ifdef __cplusplus
}
#endif

#endif
