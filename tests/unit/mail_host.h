/* SPDX-License-Identifier: MIT */
#ifndef UNIT_MAIL_HOST_H
#define UNIT_MAIL_HOST_H

/*
 * A mail host for tests of the queue: any number of connections at a time, each
 * with any number of messages.  What it says to RCPT depends on the local part:
 *
 *	no...     550 5.1.1
 *	later...  450 4.2.0
 *	once...   450 4.2.0 the first time, then as below
 *	hang...   250; and nothing more after the dot, until the client closes
 *	slow...   250; and to the dot after a third of a second
 *	else      250
 */

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MAIL_HOSTS_MAX  16
#define MAIL_HOST_MAX   64
#define MAIL_HOST_RCPTS 32

/* A message that was taken. */
struct mail_host_message {
	char sender[128];
	char rcpts[MAIL_HOST_RCPTS][64];
	size_t nrcpts;
	unsigned connection; /* its number, from 1 */
	char data[16384];    /* from its beginning, lines ended by LF */
};

struct mail_host {
	bool dsn;         /* it offers DSN */
	bool refuse_null; /* 550 to the null sender */
	bool busy;        /* 421 as a greeting */

	int listener;
	uint16_t port;
	pthread_t thread;

	pthread_mutex_t lock; /* for what follows */
	pthread_cond_t changed;
	struct mail_host_message *messages;
	size_t count;
	unsigned connections; /* that came */
	unsigned open;        /* now */
	unsigned peak;        /* at a time */
	unsigned offers;      /* RCPT that were heard */
	unsigned quits;
	unsigned dots;    /* ends of messages that were heard */
	unsigned hanging; /* in a reply that does not come */
	char deferred[MAIL_HOST_MAX][64];
	size_t ndeferred;
};

/* Give HOSTS, all zero, 127.0.0.1, 127.0.0.2 and so on, and one port.  Each
 * refuses connections until it starts. */
void mail_host_bind(struct mail_host *hosts, size_t count);
void mail_host_start(struct mail_host *h);

/* Started or not. */
void mail_host_stop(struct mail_host *h);

/* Wait for COUNT messages, and fail the test if they do not come, or more
 * do within TOO_MANY_MS. */
void mail_host_expect(struct mail_host *h, size_t count, int too_many_ms);

/* Message number I; it stays as it is. */
const struct mail_host_message *mail_host_message(
    struct mail_host *h, size_t i);

/* How many messages RCPT got. */
size_t mail_host_copies(struct mail_host *h, const char *rcpt);

/* A figure from above, under the lock. */
unsigned mail_host_figure(struct mail_host *h, const unsigned *figure);

/* Wait until a figure is VALUE at least, and fail the test otherwise. */
void mail_host_await(
    struct mail_host *h, const unsigned *figure, unsigned value);

#endif
