/* SPDX-License-Identifier: MIT */
#ifndef HANDOVER_H
#define HANDOVER_H

/*
 * A daemon that starts anew, an upgrade say, and refuses no client meanwhile:
 * the process starts its program again with the same arguments, and hands its
 * listeners on as systemd would.  When the new one has read all that it needs,
 * the old one stops accepting, ends with its last session, and so tells the new
 * one that what both need, a queue, is free.  If the new one fails before that,
 * nothing has happened.
 *
 * The two talk over a pair of sockets: the new one says its id, and later, by a
 * byte, that it is ready; a byte the other way says "go on", and the end that
 * the other process is gone.  The new one is no child of the old one, but of
 * the service manager, which is to notice its end.
 */

#include <sys/types.h>

#include <stdbool.h>
#include <stddef.h>

#include <smtpd/server.h>

#include "text_list.h"

/* Room for the reason why a new process failed. */
#define HANDOVER_WHY_SIZE 512

/* The names of sockets, of systemd too (FileDescriptorName=). */
#define HANDOVER_SMTP  "smtp"
#define HANDOVER_SMTPS "smtps" /* TLS from the first byte */
#define HANDOVER_LMTP  "lmtp"

/* In the old process: the new one. */
struct handover_new {
	bool begun;
	pid_t child; /* that is started; 0: it has left the rest to another */
	pid_t pid;   /* of the one that takes over; 0: it has not said so */
	int channel; /* that one's other end is its */
	char why[HANDOVER_WHY_SIZE]; /* it says that it fails; "": not yet */
};

/*
 * Start the program ARGV again with the listeners of SRV; KEPT says that others
 * keep them open as well.  Return 0, or -1 with errno.
 */
int handover_start(struct handover_new *new, char *const *argv,
    struct smtpd_server *srv, bool kept);

/* Whether the new process is ready, without waiting: 0 while it is not, 1 when
 * it is, -1 when it has ended, with the reason in WHY of SIZE bytes. */
int handover_poll(struct handover_new *new, char *why, size_t size);

/* Let the new process, which is ready, go on. */
void handover_finish(const struct handover_new *new);

/* End the new process, which is not ready. */
void handover_cancel(struct handover_new *new);

/* In the new process: the old one. */
struct handover_old {
	int channel; /* -1: there is none */
	bool told;   /* that this one is ready */
	bool kept;   /* others keep the listeners open as well */
};

/*
 * See whether an old process handed its listeners on, or else systemd passed
 * some: append their names to NAMES as systemd_listen_fds() does.  In the first
 * case the process is another one afterwards, with its own id.  Return 0, or -1
 * with errno as that does.  Before any thread is started.
 */
int handover_claim(struct handover_old *old, struct text_list *names);

/* Tell the old process, if there is one, WHY this one cannot take over, and is
 * about to end. */
void handover_fail(const struct handover_old *old, const char *why);

/* Tell the old process, if there is one, that this one is ready to take over,
 * and wait until it agrees.  A second time it does nothing. */
void handover_ready(struct handover_old *old);

/* Wait until the old process, which was told that this one is ready, is gone.
 * Return false when a signal asks this one to end first. */
bool handover_wait(struct handover_old *old);

#endif
