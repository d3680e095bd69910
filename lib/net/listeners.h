/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_NET_LISTENERS_H
#define SMTPD_NET_LISTENERS_H

/*
 * The sockets that a server listens on, waited for together.  One thread at a
 * time accepts; any may stop it.
 */

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "net/socket.h"

/* So many there can be. */
#define SMTPD_LISTENERS_MAX 256

struct smtpd_listener;

struct smtpd_listeners {
	pthread_mutex_t lock; /* for adding, releasing, stopping, and closing
	                       * before that */
	struct smtpd_listener *list;
	struct pollfd *poll; /* the pipe, what is beside, and the sockets */
	atomic_size_t count; /* of those that are whole */
	size_t at;           /* the socket that was ready last */
	unsigned streak;     /* connections taken from it in a row */
	bool went_beside;    /* that was told last */
	unsigned failures;   /* of accept() in a row, though it was ready */
	int spare;   /* a descriptor for when there are no others; or -1 */
	int stop[2]; /* a pipe that wakes who waits; -1: there is none */
	atomic_bool releasing; /* a socket was released, and is still open */
	atomic_bool stopped;
};

void smtpd__listeners_init(struct smtpd_listeners *l);

/* Close all, and remove the files of UNIX sockets. */
void smtpd__listeners_finish(struct smtpd_listeners *l);

/* Listen on A, or on FD, which becomes L's in any case; from any thread, also
 * while another accepts.  ABSENT: this machine may not have address A, or not
 * yet.  Return 0 or an errno value. */
int smtpd__listeners_add(
    struct smtpd_listeners *l, const struct smtpd_sockaddr *a, bool absent);
int smtpd__listeners_add_fd(struct smtpd_listeners *l, int fd);

/* A duplicate of the descriptor of socket I, for the caller to close; after
 * smtpd__listeners_release() no more is accepted there, and its file stays.
 * From any thread.  Return -1 with errno. */
int smtpd__listeners_share(struct smtpd_listeners *l, size_t i);
int smtpd__listeners_release(struct smtpd_listeners *l, size_t i);

/* The text of address I, as it is bound; NULL when there are fewer. */
const char *smtpd__listeners_address(const struct smtpd_listeners *l, size_t i);

/* Prepare for smtpd__listeners_accept(), once; it waits for the descriptor
 * BESIDE as well, unless that is -1.  Return 0 or an errno value. */
int smtpd__listeners_start(struct smtpd_listeners *l, int beside);

enum smtpd_accept {
	SMTPD_ACCEPT_OK,
	SMTPD_ACCEPT_SPARE,   /* it came by the spare descriptor: send it away,
	                     * close it, and call smtpd__listeners_reserve() */
	SMTPD_ACCEPT_LACK,    /* of memory or descriptors: rest a moment */
	SMTPD_ACCEPT_LOST,    /* the listener is of no more use, and closed */
	SMTPD_ACCEPT_BESIDE,  /* that can be read */
	SMTPD_ACCEPT_STOPPED, /* all are closed */
};

/* A connection, and the listener that it came to. */
struct smtpd_accepted {
	int fd;
	struct smtpd_sockaddr peer;
	size_t which;
	int error; /* for LACK and LOST: an errno value */
};

/* Wait for a connection. */
enum smtpd_accept smtpd__listeners_accept(
    struct smtpd_listeners *l, struct smtpd_accepted *out);

/* Get a spare descriptor again. */
void smtpd__listeners_reserve(struct smtpd_listeners *l);

/* Wait for a second, or until L is stopped. */
void smtpd__listeners_pause(struct smtpd_listeners *l);

/* Accept no more, from any thread, also several times: the files of UNIX
 * sockets are gone, and the thread that accepts closes the sockets.  Processes
 * that share them are left alone. */
void smtpd__listeners_stop(struct smtpd_listeners *l);

/* Close the sockets, when no thread accepts. */
void smtpd__listeners_close(struct smtpd_listeners *l);

#endif
