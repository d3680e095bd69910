/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_SERVER_SESSION_STATE_H
#define SMTPD_SERVER_SESSION_STATE_H

/*
 * The state of one session.  What only a busy one needs lies in a workspace,
 * which belongs to its thread; one that is parked has none, unless it was
 * parked in the middle of a line or a transaction.
 */

#include <smtpd/session.h>

#include <pthread.h>

#include "base/arena.h"
#include "base/id.h"
#include "base/sizes.h"
#include "grammar/reply.h"
#include "net/socket.h"
#include "server/attached.h"
#include "server/limits.h"
#include "server/owned.h"
#include "server/parking.h"
#include "server/settings.h"
#include "server/told.h"
#include "transport/stream.h"

/* Room for the name of a login mechanism. */
#define SMTPD_MECHANISM_SIZE 21

/* The first block of a transaction's memory. */
#define SMTPD_ARENA_BLOCK 8192

struct smtpd_workspace {
	char in[SMTPD_STREAM_IN_SIZE];
	char out[SMTPD_STREAM_OUT_SIZE];
	struct smtpd_reply reply; /* to the present command */
	_Alignas(max_align_t) char arena[SMTPD_ARENA_BLOCK];
};

/* What is read from the client now. */
enum smtpd_phase {
	SMTPD_PHASE_COMMAND,
	SMTPD_PHASE_MESSAGE,
	SMTPD_PHASE_HANDSHAKE,
	SMTPD_PHASE_PROXY, /* the header of a proxy */
};

/* The reply to the message for one recipient. */
struct smtpd_rcpt_reply {
	int code; /* 0: none of its own */
	char enhanced[SMTPD_ENHANCED_MAX + 1];
	const char *text; /* NULL: there was no memory for it */
};

/* The recipients of an envelope, in memory of the transaction. */
struct smtpd_rcpts {
	struct smtpd_rcpt *list;
	struct smtpd_rcpt_reply *replies; /* as many */
	size_t room;
	size_t added; /* by filters: the last ones */
};

struct smtpd_session {
	struct smtpd_server_config *config;
	struct smtpd_workspace *ws;
	struct smtpd_stream stream;
	uint64_t id;
	uint64_t counted_in, counted_out; /* of the stream's bytes */
	struct smtpd_owned own;
	struct smtpd_attached *attached; /* by parts of the program */
	struct smtpd_tls *tls; /* for STARTTLS, a reference; or NULL */
	bool tls_first;        /* TLS from the first byte */
	bool lmtp;             /* it speaks LMTP (RFC 2033), not SMTP */
	bool proxied;          /* a proxy's header comes before that */

	struct smtpd_sockaddr peer; /* its client */
	char peer_text[SMTPD_ADDRESS_TEXT_SIZE];
	char *peer_name;     /* by the DNS; NULL: none is known */
	bool peer_confirmed; /* and leads to the address */
	char proxy_text[SMTPD_ADDRESS_TEXT_SIZE]; /* of the proxy, or "" */
	bool may_tell;           /* XCLIENT and XFORWARD are allowed */
	struct smtpd_told *told; /* by these; NULL: nothing */
	bool uid_known;
	uid_t uid; /* of a client on this host */
	char helo[SMTPD_HOSTNAME_SIZE];
	char *user; /* that authenticated; NULL: none */
	char mechanism[SMTPD_MECHANISM_SIZE]; /* by which; "" */
	struct smtpd_auth_exchange *auth; /* of AUTH, while it runs; or NULL */
	uint32_t auth_failures;
	bool secrets_expected; /* it said a command that takes one, so what is
	                        * no command may be one */
	bool announced;        /* the program was told of it */
	bool esmtp;
	enum smtpd_state state;
	enum smtpd_phase phase;
	bool may_reply; /* a handler, the connect event or delivery runs */
	bool closing;   /* after the present reply */
	bool silent; /* and nothing that it sent is on the way, so that it sees
	              * the reply in any case */
	enum smtpd_close why; /* once it closes */

	uint32_t errors;         /* since the last accepted message */
	uint32_t errors_passing; /* 4xx, likewise */
	uint32_t refusals;       /* in all */
	uint32_t idle_commands;  /* likewise */
	uint32_t transactions;

	/* The transaction. */
	struct smtpd_arena arena;
	bool open; /* MAIL was at least asked for */
	struct smtpd_envelope envelope;
	struct smtpd_rcpts rcpts; /* the envelope's */
	char envelope_id[SMTPD_ID_SIZE];
	uint32_t rcpts_refused;
	struct smtpd_owned transaction_own;
	struct smtpd_body *body; /* that is being delivered, or NULL */
	struct smtpd_filter_run *filter_run; /* of the filter that is asked, or
	                                      * NULL */

	struct smtpd_cancel *cancel; /* of waits in callbacks; NULL: none was
	                              * asked for.  Changed under the server's
	                              * lock */
	uint64_t ended_ms; /* when the present message had come; or 0 */

	bool begun;
	bool may_park;
	bool admitted; /* if not, no limits hold */
	struct smtpd_slot slot;
	struct smtpd_place place;

	/* For the server's list of all sessions. */
	pthread_t thread; /* that runs it, if `runs` */
	bool runs;
	bool evicted; /* it makes room for another */
	struct smtpd_session *next, *prev;
};

/* The memory that a session needs while it runs, or NULL. */
struct smtpd_workspace *smtpd__session_create_workspace(void);
void smtpd__session_destroy_workspace(struct smtpd_workspace *ws);

/* Make a session of C's server on descriptors IN and OUT with PEER, which needs
 * smtpd__session_resume() to begin. */
void smtpd__session_init(struct smtpd_session *s, struct smtpd_server_config *c,
    int in, int out, const struct smtpd_sockaddr *peer);

/* Let PEER be the client of S. */
void smtpd__session_set_peer(
    struct smtpd_session *s, const struct smtpd_sockaddr *peer);

/* Before it is parked: give back the memory that it does not need then.  Return
 * its workspace, or NULL if there is something in it. */
struct smtpd_workspace *smtpd__session_rest(struct smtpd_session *s);

/* At its beginning, and when it was to be parked: go on after MS milliseconds,
 * in WS if it has no workspace. */
void smtpd__session_resume(
    struct smtpd_session *s, struct smtpd_workspace *ws, uint64_t ms);

/* Release what the program attached, and count the last bytes. */
void smtpd__session_finish(struct smtpd_session *s);

/* End the session after the present reply, because of WHY. */
void smtpd__session_close(struct smtpd_session *s, enum smtpd_close why);

/* Nobody has authenticated any more. */
void smtpd__session_forget_user(struct smtpd_session *s);

/* The verbs that begin a session of S, for replies. */
const char *smtpd__session_hello(const struct smtpd_session *s);

/* Add one to counter WHICH of the server. */
void smtpd__session_count(struct smtpd_session *s, enum smtpd_counter which);

/* Bring the server's counters of bytes up to date. */
void smtpd__session_count_bytes(struct smtpd_session *s);

#endif
