/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_SERVER_POOL_H
#define SMTPD_SERVER_POOL_H

/*
 * A thread for each connection that is not parked, from a cache of idle
 * threads.  One thread leads: it waits for the next connection, or for one that
 * was parked and goes on.  When one comes it hands the lead to an idle thread,
 * or to a new one when none is idle, and serves the connection itself: nothing
 * is passed from thread to thread.
 */

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "net/socket.h"
#include "server/limits.h"

struct smtpd_listener_options;

/* A connection between its acceptance and its session. */
struct smtpd_connection {
	struct smtpd_session *session; /* that goes on; NULL: it is new */
	int fd;
	unsigned flags; /* as those of a listener */
	const struct smtpd_listener_options
	    *options; /* NULL: it came to none */
	struct smtpd_sockaddr peer;
	bool has_user; /* the client's is known: */
	uid_t uid;
	struct smtpd_slot slot;
};

/* What each thread has for itself: made at its start, reused by each of its
 * sessions. */
struct smtpd_worker {
	struct smtpd_workspace *ws; /* NULL: a session has taken it along */
};

/* What the owner of a pool does; called from its threads. */
struct smtpd_pool_work {
	/* Wait for a connection; false when there will be no more. */
	bool (*next)(void *owner, struct smtpd_connection *out);
	/* Serve it, and close it; or park it, and return true. */
	bool (*serve)(
	    void *owner, struct smtpd_connection *c, struct smtpd_worker *w);
	/* There is no thread for it: send it away, and close it; or park it
	 * again. */
	void (*refuse)(void *owner, struct smtpd_connection *c);
};

struct smtpd_pool {
	const struct smtpd_pool_work *work;
	void *owner;
	size_t stack_size;

	pthread_mutex_t lock;
	pthread_cond_t turn; /* the lead is free, or the pool stops */
	pthread_cond_t empty;
	bool leading; /* a thread has the lead */
	bool stopping;
	size_t idle;           /* threads that wait for the lead */
	atomic_size_t threads; /* all of them; read without the lock too */
	pthread_t last;        /* the one that ended last, not yet joined */
	bool has_last;
};

/* Make a pool without threads. */
void smtpd__pool_init(struct smtpd_pool *p, const struct smtpd_pool_work *work,
    void *owner, size_t stack_size);

/* Make the first thread, which leads.  Return 0 or an errno value. */
int smtpd__pool_start(struct smtpd_pool *p);

/*
 * Let the idle threads end, and wait for all.  The owner has seen to it that
 * next() returns false and that each serve() ends.
 */
void smtpd__pool_stop(struct smtpd_pool *p);

/* Whether there are so many threads that none should wait for a client. */
bool smtpd__pool_is_crowded(const struct smtpd_pool *p);

/* Free what P holds; it was stopped, or never started. */
void smtpd__pool_finish(struct smtpd_pool *p);

#endif
