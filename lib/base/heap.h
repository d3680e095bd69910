/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_BASE_HEAP_H
#define SMTPD_BASE_HEAP_H

/*
 * Things by time, the earliest on top.  A thing has a node in it, which knows
 * its slot, so that any can be removed.
 */

#include <stdint.h>

struct smtpd_heap_node {
	uint32_t when; /* not changed while it is in */
	uint32_t slot;
};

/* All zero: empty. */
struct smtpd_heap {
	struct smtpd_heap_node **nodes;
	uint32_t count;
	uint32_t room;
};

void smtpd__heap_finish(struct smtpd_heap *h);

/* Have room for COUNT nodes, not fewer than are in, and not much more.  Return
 * 0, or -1 without memory. */
int smtpd__heap_fit(struct smtpd_heap *h, uint32_t count);

/* Put in NODE, for which there is room. */
void smtpd__heap_push(
    struct smtpd_heap *h, struct smtpd_heap_node *node, uint32_t when);

/* Take out NODE, which is in. */
void smtpd__heap_remove(struct smtpd_heap *h, struct smtpd_heap_node *node);

/* The earliest; NULL: there is none. */
struct smtpd_heap_node *smtpd__heap_top(const struct smtpd_heap *h);

#endif
