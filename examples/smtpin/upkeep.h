/* SPDX-License-Identifier: MIT */
#ifndef UPKEEP_H
#define UPKEEP_H

/* What smtpin does besides sessions: read the map, and clean mailboxes. */

#include <stdbool.h>
#include <stddef.h>

#include "delivery.h"
#include "tls_files.h"

struct upkeep {
	struct delivery *delivery;
	const char *file;    /* the map's */
	struct users *round; /* the map that is gone through to clean */
	size_t round_at;
	struct tls_files tls;
};

/* Read the map for the first time.  Return 0, or an exit status with the
 * reason in WHY of SIZE bytes. */
int upkeep_load(struct upkeep *u, char *why, size_t size);

/* Read the map and the certificates again and use them, or keep the old ones;
 * see daemon.h. */
void upkeep_reload(void *upkeep);

/* Look after the certificates; see daemon.h. */
void upkeep_look(void *upkeep);

/* Remove what crashes left in the mailboxes; see daemon.h. */
bool upkeep_clean(void *upkeep, bool begin);

/* End a round that was begun. */
void upkeep_finish(struct upkeep *u);

#endif
