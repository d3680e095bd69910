/* SPDX-License-Identifier: MIT */
#ifndef SYSTEMD_H
#define SYSTEMD_H

/*
 * What systemd and its services say to each other, without its library:
 * sockets (sd_listen_fds(3)), the state of the service (sd_notify(3)), and the
 * watchdog (sd_watchdog_enabled(3)).
 */

#include <sys/types.h>

#include <stdint.h>

#include <smtpd/version.h>

#include "text_list.h"

/* The first descriptor of socket activation. */
#define SYSTEMD_FIRST_FD 3

/* So many sockets are taken at most. */
#define SYSTEMD_SOCKETS_MAX 1000

/* The owner of sockets that an old process hands on, whether it still runs or
 * not. */
#define SYSTEMD_ANY_OWNER 0

/*
 * Append the names of the listening sockets that were opened for process OWNER,
 * this one or, at a hand-over, SYSTEMD_ANY_OWNER, to NAMES: one, or "" for
 * none, for each descriptor from SYSTEMD_FIRST_FD on.  These are closed on exec
 * then, and the environment forgets them.  Return 0, or -1 with errno: ENOMEM,
 * or EINVAL when their number is none, or too large.
 */
int systemd_listen_fds(pid_t owner, struct text_list *names);

/*
 * Tell systemd the state of this service, as printf does: "READY=1" or more
 * lines.  Does nothing when systemd did not start the process.  Return 0 or -1
 * with errno.
 */
int systemd_notify(const char *format, ...) SMTPD_PRINTF(1, 2);

/* Tell systemd that the service reloads, until it is told READY=1. */
int systemd_notify_reloading(void);

/* Within how many milliseconds each systemd wants to be told "WATCHDOG=1"; 0:
 * it does not watch this process. */
uint64_t systemd_watchdog_ms(void);

#endif
