/* SPDX-License-Identifier: MIT */
#ifndef DAEMON_H
#define DAEMON_H

/*
 * The life of a daemon: signals, privileges, periodic work, and its end.
 */

#include <stdbool.h>
#include <stdint.h>

#include <smtpd/server.h>

#include "listen.h"
#include "log.h"

struct daemon {
	const char *program;
	char *const *argv; /* by which it is started again on SIGUSR2 */
	struct smtpd_server *server;
	struct listen_where *where; /* where it listens */
	struct log *log;

	/* One that is started again waits until this one has ended, as for a
	 * queue that both need, instead of serving meanwhile. */
	bool exclusive;

	/* Called with user on SIGHUP, after the log was opened again, if the
	 * program could start with its configuration. */
	void (*reload)(void *user);

	/* Called with user once an hour and at the start, BEGIN set, and then
	 * again and again while it returns true: a little work at a time, so
	 * that no signal waits long. */
	bool (*housekeep)(void *user, bool begin);

	/* Called with user once a minute and at the start. */
	void (*look)(void *user);

	/* Called with user before the watchdog is told that all is well; it
	 * returns when that is so. */
	void (*live)(void *user);

	/* Called with user at the end, while the server still serves; NULL:
	 * nothing is to do before it stops. */
	void (*stop)(void *user);

	void *user;
};

/* Block the signals that daemon_run() waits for, and ignore those that a
 * failed write would send.  Call it before any thread is started. */
void daemon_prepare(void);

/*
 * Become USER, as privileges_drop() does with KEEP_PORTS, and then send LOG to
 * TARGET, if that is not NULL: as that user, so that it can be opened again
 * later.  Return 0, or an exit status after a complaint.
 */
int daemon_drop_privileges(const char *program, const char *user,
    bool keep_ports, const char *target, struct log *log);

/* Warn in the log when that user is root. */
void daemon_warn_root(struct log *log);

/* Warn in the log when NAME, by which others are greeted, has no domain, and of
 * the HARM that it does. */
void daemon_warn_name(const char *name, const char *harm, struct log *log);

/* Raise the limit of open files to what CONNECTIONS need (SMTPD_NO_LIMIT: as
 * far as it goes); warn in the log if it stays lower. */
void daemon_raise_files(uint32_t connections, struct log *log);

/*
 * Start the server, tell systemd and the process that handed its listeners on,
 * and serve until SIGTERM or SIGINT, or until SIGUSR2 has started a process
 * that takes over; then finish what is under way, unless another of the first
 * two ends the process.  Return an exit status: 0, or EX_OSERR after a
 * complaint when the server does not start.
 */
int daemon_run(const struct daemon *d);

#endif
