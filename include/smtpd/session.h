/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_SESSION_H
#define SMTPD_SESSION_H

/*
 * What a handler sees of one connection.
 *
 * All functions here are called from a handler, an event or the delivery
 * callback, on the thread that runs the session, with the session that was
 * given to it.  smtpd_reply() is for handlers, the connect event and delivery;
 * elsewhere it does nothing but log a mistake.  A session is gone when its
 * disconnect event has returned.
 *
 * Lifetimes: the texts of a command last until the handler returns, those of
 * the envelope until the transaction ends, those of the session until the
 * disconnect event has returned.  The library owns all of them, and the structs
 * here: later versions may add members at their end.  Text from the client was
 * checked by the grammar and holds no control byte, but for the argument of a
 * command that is neither MAIL nor RCPT: that may have HT, and bytes from 128
 * on.
 *
 * A handler that knows its recipients (see server.h for how it is registered):
 *
 *	static int
 *	on_rcpt(struct smtpd_session *s, const struct smtpd_command *c,
 *	    void *user)
 *	{
 *		if (is_known(user, c->address->local))
 *			return 0;
 *		return smtpd_reply(s, 550, "5.1.1", "No such user");
 *	}
 */

#include <smtpd/address.h>
#include <smtpd/body.h>
#include <smtpd/cancel.h>
#include <smtpd/tls.h>
#include <smtpd/version.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

struct smtpd_server;

/* One connection: opaque. */
struct smtpd_session;

/* One parameter of MAIL or RCPT (RFC 5321, 4.1.2). */
struct smtpd_param {
	const char *name;  /* in upper case */
	const char *value; /* NULL when there was no "=" */
};

/* The parameters of one command: opaque.  NULL stands for none. */
struct smtpd_params;

/* The recipients of an envelope: opaque, see smtpd_envelope_rcpt(). */
struct smtpd_rcpts;

/* One command, its syntax found valid and its place in the dialogue right. */
struct smtpd_command {
	const char *verb;                    /* in upper case */
	const char *argument;                /* the rest of the line; "" */
	const struct smtpd_address *address; /* MAIL and RCPT only, or NULL */
	const struct smtpd_params *params;   /* MAIL and RCPT, and SMTPUTF8 of
	                                      * VRFY and EXPN, or NULL */
};

/* One recipient that was accepted. */
struct smtpd_rcpt {
	struct smtpd_address address;
	const struct smtpd_params *params;
	bool removed; /* by a filter, see filter.h: nothing is delivered to
	               * it.  Since 0.2 */
};

/* What BODY= of MAIL said (RFC 6152, 3; RFC 3030, 3). */
enum smtpd_encoding {
	SMTPD_ENCODING_7BIT,
	SMTPD_ENCODING_8BITMIME,
	/* The message has octets, not lines.  Only with
	 * SMTPD_FLAG_BINARYMIME.  Since 0.2. */
	SMTPD_ENCODING_BINARYMIME,
};

/* What shall happen to a message that is late (RFC 2852, 4). */
enum smtpd_by_mode {
	SMTPD_BY_UNSAID,
	SMTPD_BY_RETURN, /* "R": it goes back to its sender */
	SMTPD_BY_NOTIFY, /* "N": the sender is told, and it is tried on */
};

/* What BY= of MAIL said.  Since 0.2. */
struct smtpd_deliver_by {
	enum smtpd_by_mode mode;
	int32_t seconds; /* from MAIL on; with NOTIFY also 0 and less, which
	                  * are over */
	bool trace;      /* "T": each relay of it is to be reported */
};

/* One transaction, from MAIL to its end (RFC 5321, 3.3). */
struct smtpd_envelope {
	const char *id;              /* 13 letters and digits, unique in this
	                              * server, rising with time */
	struct smtpd_address sender; /* text is "" for the null sender */
	const struct smtpd_params *params; /* of MAIL */
	const struct smtpd_rcpts *rcpts;
	size_t nrcpts;
	uint64_t size; /* octets, as SIZE= of MAIL declared; 0: not said */
	enum smtpd_encoding encoding;
	uint64_t rcpts_size; /* octets of the addresses and parameters of the
	                      * recipients.  Since 0.2 */
	uint64_t octets;     /* of the message, once it came, as far as it was
	                      * read.  Since 0.2 */
	bool smtputf8;       /* MAIL said SMTPUTF8 (RFC 6531): addresses, the
	                      * header and replies may be UTF-8.  Without it
	                      * addresses are ASCII.  Since 0.2 */

	/* AUTH= of MAIL (RFC 4954, 5): who gave the message to the first
	 * server; its text is "" for <>, and for all that a client says which
	 * has not authenticated.  NULL: not said.  Since 0.2. */
	const struct smtpd_address *submitter;

	/* What MAIL said for the further way of the message, where the settings
	 * take it.  Since 0.2. */
	bool requiretls;  /* REQUIRETLS (RFC 8689): in TLS alone, to hosts that
	                    * say it too */
	bool held;        /* HOLDFOR= or HOLDUNTIL= (RFC 4865) */
	int64_t release;  /* until then, in seconds since 1970 UTC */
	bool prioritized; /* MT-PRIORITY= (RFC 6710) */
	int priority;     /* -9 to 9; 0 as well where it was not said */
	struct smtpd_deliver_by deliver_by;

	/* Why a filter wants the message to be set aside rather than delivered,
	 * see smtpd_session_quarantine(); NULL: none does.  Since 0.2. */
	const char *quarantine;
};

/*
 * The result of a handler that will answer later, on another thread.  It is
 * reserved: this version does not support it, answers 451 4.3.0 and says so in
 * the log.
 */
#define SMTPD_LATER 1000

/*
 * Set the reply to the present command, and return CODE, so that a handler
 * can say
 *
 *	return smtpd_reply(s, 550, "5.1.1", "No such user: %s", name);
 *
 * CODE is 200 to 599, ENHANCED an enhanced status code of the same class
 * (RFC 3463) or NULL for none.  A newline, or CRLF, in the text begins a
 * new line of the reply, but at its end; other control bytes become "?", and so
 * do bytes outside ASCII, unless they are UTF-8 and MAIL, or the VRFY or EXPN
 * that is answered, said SMTPUTF8 (RFC 6531, 3.7.4).  Long lines are split, the
 * enhanced code is put on each (RFC 2034, 3).  The text ends at 1,000 bytes; an
 * empty one is "OK" and the like.  Greetings and 2xx replies to EHLO and HELO
 * begin with the server's name, which is put before the text if it is not
 * there.
 *
 * A CODE that no reply can have, an ENHANCED that contradicts it, or a FORMAT
 * that is NULL is a mistake in the program: the client is told 451 4.3.0, 451
 * is returned, and the log says why.  Called again, it replaces what it set
 * before; returning 0 instead of the code drops it.  Since 0.1.
 */
SMTPD_API int smtpd_reply(struct smtpd_session *s, int code,
    const char *enhanced, const char *format, ...) SMTPD_PRINTF(4, 5);

/*
 * Set the reply to the message for recipient I of the envelope, counted from 0,
 * in the delivery callback.  What is said of the other arguments above holds
 * here; CODE is 2xx, or 4xx or 5xx but not 421, which closes.  Recipients
 * without a reply of their own have that of the callback, by its return value,
 * and so do those that a filter removed: what is set for them is left out.
 * A message that turns out invalid is refused for all.  Return whether the
 * message is still for anybody; where it is not, smtpd_body_read() fails with
 * EIO, and nothing may be kept, as after any EIO.
 *
 * LMTP (RFC 2033) sends each of them: the message is for nobody when all are
 * refused.  SMTP has one reply for all, and this is the rule: the message is
 * refused as soon as it is refused for one, by the first 5xx, or else the first
 * 4xx.  So no mail is lost: the client tries again, or tells the sender; and
 * none comes twice, as a message would that is kept for one recipient each time
 * that another has no room.  A 5xx goes before a 4xx, since trying again would
 * not help.  A program that wants to keep mail for some refuses the others at
 * RCPT, where SMTP has a reply for each.  Since 0.2.
 */
SMTPD_API bool smtpd_reply_rcpt(struct smtpd_session *s, size_t i, int code,
    const char *enhanced, const char *format, ...) SMTPD_PRINTF(5, 6);

/* The server that this session belongs to.  Since 0.1. */
SMTPD_API struct smtpd_server *smtpd_session_server(
    const struct smtpd_session *s);

/* A number for log lines: each session of a server has its own.  Since 0.1. */
SMTPD_API uint64_t smtpd_session_id(const struct smtpd_session *s);

/*
 * The client's address as text, "192.0.2.1" or "2001:db8::1"; "local" for a
 * UNIX socket, a pipe or a terminal.  An IPv4 address that was mapped into
 * IPv6 is given as IPv4.  Since 0.1.
 */
SMTPD_API const char *smtpd_session_peer(const struct smtpd_session *s);

/*
 * The name of the client's host, as the program found it in the DNS (see
 * lookup.h) and said so: a copy of NAME, or none where it is NULL; CONFIRMED,
 * it leads to the address again.  The first gives one that is confirmed, the
 * second any; NULL: there is none.  It is for filters and log lines; another
 * client, by XCLIENT, has none.  Set returns 0, or -1 with errno ENOMEM.  Since
 * 0.2.
 */
SMTPD_API const char *smtpd_session_peer_name(const struct smtpd_session *s);
SMTPD_API const char *smtpd_session_peer_ptr(const struct smtpd_session *s);
SMTPD_API int smtpd_session_set_peer_name(
    struct smtpd_session *s, const char *name, bool confirmed);

/*
 * The address, as text, of the proxy that this session came by and that told
 * of its client, see smtpd_server_add_proxy(); "local" for one at a UNIX
 * socket.  NULL: the client is connected itself, or it is the proxy.  Since
 * 0.2.
 */
SMTPD_API const char *smtpd_session_proxy(const struct smtpd_session *s);

/*
 * What was said of the client by XCLIENT, see smtpd_server_add_xclient(): the
 * value of ATTRIBUTE, "NAME", "ADDR", "PORT", "PROTO", "HELO", "LOGIN",
 * "DESTADDR" or "DESTPORT", decoded, in UTF-8, an address without "IPV6:".
 * NULL: nothing was said, or that it is not available.  A name that could not
 * be found out for now is "[TEMPUNAVAIL]".  It lasts until the next XCLIENT.
 * Since 0.2.
 */
SMTPD_API const char *smtpd_session_xclient(
    const struct smtpd_session *s, const char *attribute);

/* The same of XFORWARD, which says from whom the message came at first: "NAME",
 * "ADDR", "PORT", "PROTO", "HELO", "IDENT" or "SOURCE".  It lasts until the
 * transaction ends.  Since 0.2. */
SMTPD_API const char *smtpd_session_xforward(
    const struct smtpd_session *s, const char *attribute);

/* The client's socket address, and its length in *LEN.  Since 0.1. */
SMTPD_API const struct sockaddr *smtpd_session_sockaddr(
    const struct smtpd_session *s, socklen_t *len);

/* The descriptor of the input: for getsockname() or SO_PEERCRED, not for
 * reading.  Since 0.1. */
SMTPD_API int smtpd_session_fd(const struct smtpd_session *s);

/* The user who connected over a UNIX socket, or, with SMTPD_FLAG_LOCAL_USERS,
 * from this host, in *UID.  Return 0, or -1 with errno ENODATA when it is not
 * known: the session has another kind of input, or the system does not tell.
 * Since 0.1. */
SMTPD_API int smtpd_session_uid(const struct smtpd_session *s, uid_t *uid);

/* What the client gave for its name in EHLO or HELO, which may be any text; ""
 * before.  At most 255 characters of printable ASCII; what was none is "?".
 * Since 0.1. */
SMTPD_API const char *smtpd_session_helo(const struct smtpd_session *s);

/* Whether the client said EHLO, or LHLO, not HELO.  Since 0.1. */
SMTPD_API bool smtpd_session_esmtp(const struct smtpd_session *s);

/* Whether it is a session of LMTP, see SMTPD_LISTEN_LMTP.  Since 0.2. */
SMTPD_API bool smtpd_session_lmtp(const struct smtpd_session *s);

/* What is known of the session's TLS; NULL: it is not encrypted.  Since
 * 0.1. */
SMTPD_API const struct smtpd_tls_info *smtpd_session_tls(
    const struct smtpd_session *s);

/*
 * Who authenticated (RFC 4954), "" where a handler of AUTH, or the callback
 * with a token, did not say; NULL: nobody.  It is forgotten at STARTTLS, and
 * stays for the rest of the session else.  Since 0.2.
 */
SMTPD_API const char *smtpd_session_user(const struct smtpd_session *s);

/* The mechanism of AUTH by which it did, in upper case; NULL: by none.  Since
 * 0.2. */
SMTPD_API const char *smtpd_session_mechanism(const struct smtpd_session *s);

/*
 * Let the session be that of user NAME, 1 to 255 bytes without control bytes:
 * Received says so (RFC 3848), and AUTH is over.  In the callback of auth.h and
 * in handlers of AUTH the name is kept until the client has proved it, or they
 * have said 235; what a handler sets that leaves the command to the library is
 * forgotten.  Elsewhere, as in the connect or the tls event, it holds at once.
 * Return 0, or -1 with errno EINVAL or ENOMEM.  Since 0.2.
 */
SMTPD_API int smtpd_session_set_user(struct smtpd_session *s, const char *name);

/*
 * In a handler of AUTH: send LEN bytes at DATA as a challenge (334), and read
 * the client's answer into BUF of SIZE bytes with a NUL behind it.  Both are
 * base64 on the wire.  A first challenge of no bytes is not sent where the
 * command has an initial response: that is the answer.  Blocks; the server's
 * deadlines hold, and a line has at most 12288 octets.
 *
 *	char answer[256];
 *
 *	if (strncmp(command->argument, "X-TOKEN", 7) != 0)
 *		return 0;
 *	if (smtpd_session_challenge(s, "", 0, answer, sizeof(answer)) == -1 ||
 *	    !is_good(answer) || smtpd_session_set_user(s, "joe") == -1)
 *		return smtpd_reply(s, 535, "5.7.8", "Authentication failed");
 *	return smtpd_reply(s, 235, "2.7.0", "Welcome");
 *
 * Return the answer's length, or -1 with errno: ECANCELED when the client
 * cancelled the exchange or its answer is none, EIO when it is gone; in both
 * cases the library's reply replaces the handler's.  EINVAL: no handler of AUTH
 * runs, the exchange is over, BUF is NULL, or DATA is more than 9200 bytes.
 * Since 0.2.
 */
SMTPD_API ssize_t smtpd_session_challenge(struct smtpd_session *s,
    const void *data, size_t len, void *buf, size_t size);

/*
 * What ends the waits of a callback, for look-ups and clients that take such
 * (see resolve.h, client.h): it is triggered when smtpd_server_drain() cuts the
 * session off, at settings.delivery_timeout_ms, and when the client has gone:
 * its connection is broken, or it sends no more, and had said nothing more when
 * this was called last.  Over pipes that is not seen.  It belongs to the
 * session and is good until the callback returns; it must be neither triggered
 * nor destroyed.  NULL with errno: no memory, no descriptor.  Since 0.2.
 */
SMTPD_API struct smtpd_cancel *smtpd_session_cancel(struct smtpd_session *s);

/*
 * Wait until FD has one of EVENTS, as poll() has them, for up to TIMEOUT_MS;
 * FD -1: just wait.  What was answered before goes out first.
 *
 * Return what poll() found; 0: the time is over; -1 with errno ECANCELED, as
 * smtpd_session_cancel() says, EBADF, or ENOMEM and the like.  Since 0.2.
 */
SMTPD_API int smtpd_session_wait(
    struct smtpd_session *s, int fd, short events, uint32_t timeout_ms);

/* The transaction that is open, or NULL.  Since 0.1. */
SMTPD_API const struct smtpd_envelope *smtpd_session_envelope(
    const struct smtpd_session *s);

/* Recipient I of ENVELOPE, counted from 0; NULL when there are fewer.  Since
 * 0.2. */
SMTPD_API const struct smtpd_rcpt *smtpd_envelope_rcpt(
    const struct smtpd_envelope *envelope, size_t i);

/* The code of the reply to the message that recipient I of ENVELOPE, counted
 * from 0, got, in the event of the transaction's end; 0: none, or there are
 * fewer.  In SMTP it is that of all.  Since 0.2. */
SMTPD_API int smtpd_envelope_code(
    const struct smtpd_envelope *envelope, size_t i);

/*
 * The parameters of a command, a recipient or an envelope, which may be NULL:
 * how many there are; number I, counted from 0, or NULL when there are fewer;
 * the value of parameter NAME (in upper case), NULL when it is absent, "" when
 * it has no value.  Since 0.2.
 */
SMTPD_API size_t smtpd_params_count(const struct smtpd_params *params);
SMTPD_API const struct smtpd_param *smtpd_params_get(
    const struct smtpd_params *params, size_t i);
SMTPD_API const char *smtpd_params_value(
    const struct smtpd_params *params, const char *name);

/* The most bytes of smtpd_session_received(), with its NUL.  Since 0.2. */
#define SMTPD_RECEIVED_MAX 1280

/*
 * Write the Received: header that RFC 5321, 4.4 demands for the open
 * transaction to BUF of SIZE bytes, lines folded and ended by CRLF.  It names
 * a recipient only when there is exactly one, and the number of the user who
 * connected over a UNIX socket.
 *
 * It goes directly above the message.  While this is being delivered and its
 * first line is neither a header field nor empty, an empty line follows: so no
 * message can continue the field, or end the header, in the place of ours.  The
 * beginning of the message is waited for.
 *
 * Return the length, or -1 with errno: EINVAL
 * when there is no transaction, ERANGE when there is no room.
 * SMTPD_RECEIVED_MAX bytes always suffice.  Since 0.1.
 */
SMTPD_API int smtpd_session_received(
    struct smtpd_session *s, char *buf, size_t size);

/* The most bytes of smtpd_session_trace(), with its NUL.  Since 0.2. */
#define SMTPD_TRACE_MAX 4608

/*
 * Write the fields that belong on top of the message of the open transaction
 * where it is kept for good (RFC 5321, 4.4) to BUF of SIZE bytes: Return-Path,
 * Delivered-To with RCPT's address unless RCPT is NULL, and what
 * smtpd_session_received() writes, with all that is said there.
 * SMTPD_TRACE_MAX bytes always suffice.  Since 0.2.
 */
SMTPD_API int smtpd_session_trace(struct smtpd_session *s,
    const struct smtpd_rcpt *rcpt, char *buf, size_t size);

/*
 * Keep DATA for the life of the session; DESTROY (or NULL) is called with it
 * after the disconnect event, or at once when it is replaced.  Since 0.1.
 */
SMTPD_API void smtpd_session_set_data(struct smtpd_session *s, void *data,
    void (*destroy)(void *) SMTPD_NOEXCEPT);

/* What smtpd_session_set_data() kept, or NULL.  Since 0.1. */
SMTPD_API void *smtpd_session_data(const struct smtpd_session *s);

/*
 * The same for parts of a program, or libraries, that have nothing to do with
 * each other: each keeps DATA of its own, under OWNER, an address of its own.
 * It is destroyed before that of smtpd_session_set_data().  Return 0, or -1
 * with errno ENOMEM: then DATA stays the caller's.  Since 0.2.
 */
SMTPD_API int smtpd_session_attach(struct smtpd_session *s, const void *owner,
    void *data, void (*destroy)(void *) SMTPD_NOEXCEPT);

/* What OWNER keeps, or NULL.  Since 0.2. */
SMTPD_API void *smtpd_session_attached(
    const struct smtpd_session *s, const void *owner);

/*
 * Keep DATA for the life of the open transaction; DESTROY (or NULL) is called
 * with it after the transaction's end event, or at once when it is replaced
 * or no transaction is open.  In a handler of MAIL the transaction is open;
 * it ends again if the handler refuses.  Since 0.1.
 */
SMTPD_API void smtpd_session_set_transaction_data(struct smtpd_session *s,
    void *data, void (*destroy)(void *) SMTPD_NOEXCEPT);

/* What smtpd_session_set_transaction_data() kept, or NULL.  Since 0.1. */
SMTPD_API void *smtpd_session_transaction_data(const struct smtpd_session *s);

#ifdef __cplusplus
}
#endif

#endif
