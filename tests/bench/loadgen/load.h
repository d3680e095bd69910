/* SPDX-License-Identifier: MIT */
#ifndef LOADGEN_LOAD_H
#define LOADGEN_LOAD_H

/*
 * All sessions together.  Sessions are opened a few at a time; when all have
 * been greeted they begin to send.  With a new connection for each message
 * they begin at once.
 */

#include "options.h"
#include "session.h"
#include "stats.h"
#include "text.h"

#include <stdbool.h>
#include <stdint.h>

struct load {
	const struct options *opt;
	struct stats stats;
	struct body body;
	struct session *sessions;
	int epoll;
	uint32_t opened; /* sessions that were begun */
	uint32_t ready;  /* of these, said EHLO once */
	uint32_t over;   /* of these, at their end */
	bool going;      /* messages may be sent */
	bool stopped;    /* no new message, no new connection */
	uint64_t deadline;
	uint64_t taken; /* messages that were given to sessions, ... */
	uint64_t back;  /* and given back, to be sent once more */
	uint64_t seq;   /* number of the next message */
};

/* Prepare to work as OPT says.  Return 0 or -1 with errno. */
int load_init(struct load *l, const struct options *opt);
void load_finish(struct load *l);

/*
 * Open the sessions, send the messages; or hold the sessions when that was
 * asked for.  What happened stands in l->stats.
 */
void load_run(struct load *l);

/* For a session: may it send one more message, and which number has it? */
bool load_take(struct load *l, uint64_t *seq);

/* It could not send that message. */
void load_give_back(struct load *l);

/* It has said EHLO for the first time. */
void load_ready(struct load *l);

#endif
