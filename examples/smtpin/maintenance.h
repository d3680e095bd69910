/* SPDX-License-Identifier: MIT */
#ifndef MAINTENANCE_H
#define MAINTENANCE_H

/*
 * The work of smtpin besides sessions: reading the map and certificates, and
 * cleaning mailboxes.
 */

#include <stdbool.h>
#include <stddef.h>

#include "delivery.h"
#include "listen.h"
#include "tls_files.h"

struct maintenance {
	struct delivery *delivery;
	const char *file;    /* the map's */
	struct users *round; /* the map whose mailboxes are being cleaned */
	struct users_round round_at;
	struct tls_files tls;
	struct listen_where *where;
};

/* Read the map for the first time.  Return 0, or an exit status with the
 * reason in WHY of SIZE bytes. */
int maintenance_load(struct maintenance *m, char *why, size_t size);

/* Read the map and the certificates again and use them, or keep the old ones,
 * and look for new addresses; see daemon.h. */
void maintenance_reload(void *maintenance);

/* Check the certificates for changes and expiry, and interfaces for new
 * addresses; see daemon.h. */
void maintenance_look(void *maintenance);

/* Remove what crashes left in the mailboxes; see daemon.h. */
bool maintenance_clean(void *maintenance, bool begin);

/* End a round that was begun. */
void maintenance_finish(struct maintenance *m);

#endif
