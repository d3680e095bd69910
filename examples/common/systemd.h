/* SPDX-License-Identifier: MIT */
#ifndef SYSTEMD_H
#define SYSTEMD_H

/*
 * Socket activation and readiness as systemd has them, without its library.
 */

/* The first descriptor of socket activation. */
#define SYSTEMD_FIRST_FD 3

/*
 * How many listening sockets systemd opened for this process, from
 * SYSTEMD_FIRST_FD on (sd_listen_fds(3)); they are closed on exec then, and
 * the environment forgets them.
 */
int systemd_listen_fds(void);

/*
 * Tell systemd STATE, "READY=1" or "STOPPING=1" (sd_notify(3)).  Does nothing
 * when systemd did not start the process.  Return 0 or -1 with errno.
 */
int systemd_notify(const char *state);

#endif
