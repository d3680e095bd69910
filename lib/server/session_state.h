/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_SERVER_SESSION_STATE_H
#define SMTPD_SERVER_SESSION_STATE_H

/*
 * The state of one dialogue.  It lives on the stack of its thread; what only
 * a busy session needs lies in a workspace whose pages an idle one gives
 * back.
 */

#include <smtpd/session.h>

#include "base/arena.h"
#include "base/id.h"
#include "grammar/reply.h"
#include "net/socket.h"
#include "server/settings.h"
#include "transport/stream.h"

/* The first block of a transaction's memory. */
#define SMTPD_ARENA_BLOCK 8192

struct smtpd_workspace {
	char in[SMTPD_STREAM_IN_SIZE];
	char out[SMTPD_STREAM_OUT_SIZE];
	struct smtpd_reply reply; /* to the present command */
	_Alignas(max_align_t) char arena[SMTPD_ARENA_BLOCK];
};

/* Something of the caller's and how to get rid of it. */
struct smtpd_owned {
	void *data;
	void (*destroy)(void *);
};

struct smtpd_session {
	struct smtpd_server_config *config;
	struct smtpd_workspace *ws;
	char *stack_bottom; /* NULL: the stack is not ours to trim */
	struct smtpd_stream stream;
	uint64_t id;
	uint64_t counted_in, counted_out; /* of the stream's bytes */
	struct smtpd_owned own;
	struct smtpd_tls *tls; /* for STARTTLS, a reference; or NULL */
	bool tls_first;        /* TLS from the first byte */

	struct smtpd_sockaddr peer;
	char peer_text[48];
	bool uid_known;
	uid_t uid; /* of a UNIX socket's client */
	char helo[256];
	bool announced; /* the program was told of it */
	bool esmtp;
	enum smtpd_state state;
	bool closing;         /* after the present reply */
	enum smtpd_close why; /* once it closes */

	uint32_t errors;        /* since the last accepted message */
	uint32_t idle_commands; /* likewise */
	uint32_t transactions;

	/* The transaction. */
	struct smtpd_arena arena;
	bool open; /* MAIL was at least asked for */
	struct smtpd_envelope envelope;
	char envelope_id[SMTPD_ID_SIZE];
	size_t rcpts_room;
	uint32_t rcpts_refused;
	struct smtpd_owned transaction_own;

	/* For the server's list of all sessions. */
	struct smtpd_session *next, *prev;
};

/* The memory that smtpd__session_init() needs, or NULL. */
struct smtpd_workspace *smtpd__workspace_create(void);
void smtpd__workspace_destroy(struct smtpd_workspace *ws);

/*
 * Begin a session of C's server on descriptors IN and OUT with PEER, in
 * workspace WS, on a stack that reaches down to STACK_BOTTOM (or NULL).
 */
void smtpd__session_init(struct smtpd_session *s, struct smtpd_server_config *c,
    struct smtpd_workspace *ws, char *stack_bottom, int in, int out,
    const struct smtpd_sockaddr *peer);

/* Let go of what the caller attached, and tell the last counts. */
void smtpd__session_finish(struct smtpd_session *s);

/* Set the reply unless the caller's handler has set one. */
void smtpd__session_say(struct smtpd_session *s, int code, const char *enhanced,
    const char *format, ...) SMTPD_PRINTF(4, 5);

/* Set the reply of a refusal, whatever was set before, and count it. */
void smtpd__session_refuse(struct smtpd_session *s, size_t count, int code,
    const char *enhanced, const char *format, ...) SMTPD_PRINTF(5, 6);

/* Put the reply that is set into the output; 421 closes the session. */
void smtpd__session_answer(struct smtpd_session *s);

/* End the session after the present reply, because of WHY. */
void smtpd__session_close(struct smtpd_session *s, enum smtpd_close why);

/*
 * Take RESULT of a handler that was called with no reply set: whether the
 * library goes on, which it does for replies of class GOOD, 2 or 3.  A result
 * that is not the reply's code, or of the other class, is a mistake of the
 * program, answered 451.
 */
bool smtpd__session_goes_on(struct smtpd_session *s, int result, int good);

/* Open a transaction, its envelope empty but for the id. */
void smtpd__transaction_open(struct smtpd_session *s);

/* Add a recipient.  Return 0, or -1 without memory. */
int smtpd__transaction_add(
    struct smtpd_session *s, const struct smtpd_rcpt *rcpt);

/*
 * The one place where a transaction is forgotten: tell its end, if its MAIL
 * was accepted, free what is kept for it, and go back to the state before
 * MAIL.  Nothing happens when none is open.
 */
void smtpd__transaction_end(
    struct smtpd_session *s, enum smtpd_end how, int code);

/* Forget what EHLO or HELO said, the transaction included. */
void smtpd__session_forget(struct smtpd_session *s);

/*
 * Shake hands with CONN, which becomes the session's, after what is in the
 * output was sent; then forget all that the client said before.  When it
 * fails the session is closed without a word.
 */
void smtpd__session_start_tls(
    struct smtpd_session *s, struct smtpd_tls_conn *conn);

/* Close, count and log: there was no handshake, because of STATUS and
 * REASON. */
void smtpd__session_refuse_tls(
    struct smtpd_session *s, enum smtpd_io_status status, const char *reason);

/* The same when the client broke TLS later on. */
void smtpd__session_break_tls(struct smtpd_session *s);

/* Move counter COUNT of the server by one. */
void smtpd__session_count(struct smtpd_session *s, size_t count);

#endif
