/* SPDX-License-Identifier: MIT */
#ifndef UNIT_SCRIPTED_H
#define UNIT_SCRIPTED_H

/* A server for tests of the client, which says what its script wants. */

#include <smtpd.h>

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#define SCRIPTED_MAX     64
#define SCRIPTED_FILLERS 4

/*
 * A script is lines divided by LF:
 *   < TEXT     say TEXT and CRLF
 *   = TEXT     say TEXT without an end of line, "|" in it as CRLF
 *   * N TEXT   say TEXT and CRLF N times
 *   ~ TEXT     say TEXT without an end of line, \r \n \0 \e \\ in it as bytes
 *   > TEXT     hear a line that begins with TEXT
 *   ! TEXT     hear a line that is TEXT
 *   data       hear lines up to a dot
 *   chunk      hear BDAT and its chunk, which is not the last
 *   last       hear BDAT and its chunk, which is
 *   hold       hear what comes until the client closes
 *   half       say no more, but listen on
 *   reset      close so that the client gets a reset
 *   sleep N    do nothing for N milliseconds
 *   narrow     have small buffers for this connection
 *   cancel     trigger the cancel
 *   next       close, and go on with the next who comes
 * At the end the peer closes.
 */
struct scripted {
	int listener;
	int fillers[SCRIPTED_FILLERS]; /* connections that wait for ever */
	bool full;
	struct smtpd_target target; /* where it listens */
	uint16_t port;
	const char *script;
	struct smtpd_cancel *cancel; /* for "cancel"; set before it listens */
	pthread_t thread;
	bool listens;
	int connections; /* how many came; after scripted_finish() */
	char wrong[256]; /* what came instead of what was to be heard; "" */
	char data[4096]; /* what data heard, as it came, or the beginning of all
	                  * chunks */
	size_t data_len;
	size_t chunked; /* octets of all chunks */
	char ended[2];  /* the last of them */
};

/* Begin to listen, and say SCRIPT to the first who comes. */
void scripted_start(struct scripted *s, const char *script);

/*
 * Bind COUNT of them to 127.0.0.1 and up, at one port: it stays theirs, but
 * nobody listens there before scripted_listen() says SCRIPT to the first who
 * comes.
 */
void scripted_bind(struct scripted *s, size_t count);
void scripted_listen(struct scripted *s, const char *script);

/* After scripted_bind(): let nobody in, as a host that is overloaded. */
void scripted_fill(struct scripted *s);

/* End it, and fail the test if it heard something else than its script. */
void scripted_finish(struct scripted *s);

/* The numeric address HOST as a target called NAME. */
struct smtpd_target scripted_target(const char *host, const char *name);

/* COUNT targets at LIST as a resolver would have found them. */
struct smtpd_targets *scripted_targets(
    const struct smtpd_target *list, size_t count);

#endif
