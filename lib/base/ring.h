/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_BASE_RING_H
#define SMTPD_BASE_RING_H

/* A list that is its own head: of things that are served in turn.  A thing has
 * a link in it. */

#include <stdbool.h>

struct smtpd_ring {
	struct smtpd_ring *next;
	struct smtpd_ring *previous;
};

/* An empty list; or a link that is in none. */
void smtpd__ring_init(struct smtpd_ring *r);

/* Whether a list has none, or a link is in none. */
bool smtpd__ring_is_empty(const struct smtpd_ring *r);

/* Put a LINK that is in none at the end of LIST, or at its front. */
void smtpd__ring_append(struct smtpd_ring *list, struct smtpd_ring *link);
void smtpd__ring_prepend(struct smtpd_ring *list, struct smtpd_ring *link);

/* Take LINK out of its list; one that is in none is left alone. */
void smtpd__ring_remove(struct smtpd_ring *link);

#endif
