/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_NET_LISTENERS_H
#define SMTPD_NET_LISTENERS_H

/*
 * The sockets that a server listens on, waited for together.  One thread at a
 * time accepts; any may stop it.
 */

#include <poll.h>
#include <stdatomic.h>
#include <stddef.h>

#include "net/socket.h"

struct smtpd_listener;

struct smtpd_listeners {
	struct smtpd_listener *list;
	struct pollfd *poll; /* the list's sockets, and the stop pipe */
	size_t count;
	size_t at;       /* the socket that was ready last */
	unsigned streak; /* connections taken from it in a row */
	int stop[2];     /* a pipe; -1 while there is none */
	atomic_bool stopped;
};

void smtpd__listeners_init(struct smtpd_listeners *l);

/* Close all, and remove the files of UNIX sockets. */
void smtpd__listeners_finish(struct smtpd_listeners *l);

/* Listen on A, or on FD, which becomes L's in any case.  Return 0 or an errno
 * value. */
int smtpd__listeners_add(
    struct smtpd_listeners *l, const struct smtpd_sockaddr *a);
int smtpd__listeners_add_fd(struct smtpd_listeners *l, int fd);

/* The text of address I, as it is bound; NULL when there are fewer. */
const char *smtpd__listeners_address(const struct smtpd_listeners *l, size_t i);

/*
 * Wait for a connection, and return its descriptor, with the address it came
 * to in *WHICH.  Return -1 with *ERROR 0 when L was stopped, or the errno
 * value of a lack of memory or descriptors, which will not pass at once.
 */
int smtpd__listeners_accept(struct smtpd_listeners *l,
    struct smtpd_sockaddr *peer, size_t *which, int *error);

/* Wait for a second, or until L is stopped. */
void smtpd__listeners_pause(struct smtpd_listeners *l);

/* Accept no more, from any thread, also several times: clients are refused by
 * the system, and the files of UNIX sockets are gone. */
void smtpd__listeners_stop(struct smtpd_listeners *l);

#endif
