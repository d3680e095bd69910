/* SPDX-License-Identifier: MIT */
#ifndef TALK_HOST_H
#define TALK_HOST_H

/* The server under test: a script's settings, and handlers with a memory. */

#include <smtpd.h>

#include "script.h"

#define HOST_CANNED_MAX  8
#define HOST_FILTERS_MAX 12

/* What a handler answers, always the same. */
struct canned {
	struct host *host;
	int code;          /* 0: nothing, go on */
	char enhanced[16]; /* "": none */
	const char *text;  /* "{}" stands for the command's argument */
	bool silent;       /* return the code without a reply: a mistake */
};

/* A filter: what it does, and what it has seen of the present message. */
struct talk_filter {
	struct host *host;
	char kind[16];
	char word[80];
	const char *rest;
	const struct canned *canned;
	struct bytes seen;
};

struct host {
	struct smtpd_server *server;
	struct smtpd_settings settings;
	size_t chunk;   /* what delivery reads at a time */
	int rest_ms;    /* how long it rests before */
	unsigned flags; /* of the session, as of a listener */
	bool pipes;     /* talk over two pipes, not over a socket */
	bool no_rcpt;   /* register no handler for RCPT */
	struct canned canned[HOST_CANNED_MAX];
	size_t ncanned;
	struct talk_filter filters[HOST_FILTERS_MAX];
	size_t nfilters;
	const struct canned *connect;
	struct entries seen; /* as the script's events */
	FILE *out; /* events are printed there, a line each; NULL: they are
	            * in seen at the end */
};

/* Make the server that S wants, or die. */
void host_init(struct host *h, const struct script *s);

void host_finish(struct host *h);

/* Remember or print B as an event that was seen, and free it. */
void host_saw(struct host *h, struct bytes *b);

/* Answer as C says, with ARGUMENT in the place of "{}". */
int host_answer(
    struct smtpd_session *s, const struct canned *c, const char *argument);

/* "CODE ENHANCED TEXT", ENHANCED "-" for none; "return CODE"; or "0". */
struct canned *host_canned(struct host *h, const char *text);

/* Divide TEXT into a word and the rest, which is returned. */
const char *host_split(const char *text, char *word, size_t size);

/* See the header of BODY: its length and its fields. */
void host_show_header(struct host *h, struct smtpd_body *body);

/* The name of errno. */
const char *host_errno(void);

/* Counter NAME of C, or die. */
uint64_t host_counter(const struct smtpd_server_counters *c, const char *name);

#endif
