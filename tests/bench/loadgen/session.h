/* SPDX-License-Identifier: MIT */
#ifndef LOADGEN_SESSION_H
#define LOADGEN_SESSION_H

/* One client: what it sends, and which reply it waits for. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct load;

/* Which reply is awaited. */
enum step {
	STEP_CLOSED, /* none: there is no connection */
	STEP_GREETING,
	STEP_HELLO,
	STEP_READY, /* none: there is nothing to do */
	STEP_MAIL,
	STEP_RCPT,
	STEP_DATA,
	STEP_BODY,
	STEP_QUIT,
	STEP_OVER, /* none: this session will not come back */
};

struct session {
	int fd;
	enum step step;
	bool greeted;        /* was ready once */
	bool pipelining;     /* the server offers it, and we use it */
	bool chunking;       /* likewise */
	uint32_t connection; /* how many there were */
	uint32_t rcpts;      /* recipients still to be answered */
	uint64_t seq;        /* number of the message */
	uint64_t begun;      /* when its MAIL was sent */
	char *out;           /* to be sent: this first */
	size_t out_len;      /* ... */
	size_t out_at;       /* of it and of the body, what is sent */
	size_t body_len;     /* then so much of the shared body */
	size_t line_len;     /* of the line of reply that arrives */
	char line[120];      /* its beginning */
	uint32_t source;     /* which address to connect from, from 0 */
};

/* Begin: connect as session NUMBER of L. */
void session_open(struct load *l, struct session *s, uint32_t number);

/* The descriptor is ready for EVENTS of epoll. */
void session_event(struct load *l, struct session *s, uint32_t events);

/* Send the next message, if there is one; if not, QUIT. */
void session_next(struct load *l, struct session *s);

/* Close and free everything. */
void session_finish(struct session *s);

#endif
