/* SPDX-License-Identifier: MIT */
#ifndef WATCHDOG_H
#define WATCHDOG_H

/*
 * Telling the watchdog of systemd that a daemon lives, as long as it accepts
 * connections: where clients wait from one look to the next and none is
 * accepted, nothing is told, and systemd starts the daemon again.
 */

#include <stdbool.h>
#include <stdint.h>

#include <smtpd/server.h>

#include "log.h"

struct watchdog {
	struct smtpd_server *server;
	struct log *log;
	uint64_t every_ms; /* between two looks; 0: nobody watches */
	uint64_t next_ms;  /* on the clock of the caller */
	uint64_t accepted; /* connections until the last look */
	bool waiting;      /* a client waited then */
};

/* Watch SERVER, which runs, if systemd asks for it; the first look is at NOW_MS
 * of a clock that only goes on. */
void watchdog_init(struct watchdog *w, struct smtpd_server *server,
    struct log *log, uint64_t now_ms);

/* Whether systemd wants to be told at NOW_MS. */
bool watchdog_is_due(const struct watchdog *w, uint64_t now_ms);

/* See whether the daemon lives, and tell; it is due again later than NOW_MS. */
void watchdog_look(struct watchdog *w, uint64_t now_ms);

#endif
