/* SPDX-License-Identifier: MIT */
#include "base/heap.h"

#include <stdlib.h>

/* Four children a node: fewer of them are far away in memory than with two. */
#define CHILDREN 4

void
smtpd__heap_finish(struct smtpd_heap *h)
{
	free(h->nodes);
	*h = (struct smtpd_heap){ 0 };
}

static int
set_room(struct smtpd_heap *h, uint32_t room)
{
	struct smtpd_heap_node **nodes =
	    realloc(h->nodes, sizeof(struct smtpd_heap_node *) * room);

	if (nodes == NULL)
		return -1;
	h->nodes = nodes;
	h->room = room;
	return 0;
}

int
smtpd__heap_fit(struct smtpd_heap *h, uint32_t count)
{
	if (count > h->room)
		return set_room(h, count + count / 2 + 16);
	if (h->room > 1024 && count < h->room / 4)
		(void)set_room(h, count * 2 + 16);
	return 0;
}

static void
set_node(struct smtpd_heap *h, uint32_t slot, struct smtpd_heap_node *node)
{
	h->nodes[slot] = node;
	node->slot = slot;
}

/* Find a place for NODE at SLOT, which is free, or above. */
static void
move_up(struct smtpd_heap *h, uint32_t slot, struct smtpd_heap_node *node)
{
	while (slot > 0) {
		uint32_t parent = (slot - 1) / CHILDREN;

		if (h->nodes[parent]->when <= node->when)
			break;
		set_node(h, slot, h->nodes[parent]);
		slot = parent;
	}
	set_node(h, slot, node);
}

/* The earliest of the children of SLOT; the count if it has none. */
static uint32_t
first_child(const struct smtpd_heap *h, uint32_t slot)
{
	uint64_t from = (uint64_t)slot * CHILDREN + 1;
	uint64_t to = from + CHILDREN;
	uint32_t first;

	if (from >= h->count)
		return h->count;
	if (to > h->count)
		to = h->count;
	first = (uint32_t)from;
	for (uint32_t i = first + 1; i < to; i++)
		if (h->nodes[i]->when < h->nodes[first]->when)
			first = i;
	return first;
}

/* Find a place for NODE at SLOT, which is free, or below. */
static void
move_down(struct smtpd_heap *h, uint32_t slot, struct smtpd_heap_node *node)
{
	uint32_t child;

	while ((child = first_child(h, slot)) < h->count &&
	    h->nodes[child]->when < node->when) {
		set_node(h, slot, h->nodes[child]);
		slot = child;
	}
	set_node(h, slot, node);
}

void
smtpd__heap_push(
    struct smtpd_heap *h, struct smtpd_heap_node *node, uint32_t when)
{
	node->when = when;
	move_up(h, h->count++, node);
}

void
smtpd__heap_remove(struct smtpd_heap *h, struct smtpd_heap_node *node)
{
	uint32_t slot = node->slot;
	struct smtpd_heap_node *last = h->nodes[--h->count];

	if (last == node)
		return;
	if (last->when < node->when)
		move_up(h, slot, last);
	else
		move_down(h, slot, last);
}

struct smtpd_heap_node *
smtpd__heap_top(const struct smtpd_heap *h)
{
	return h->count > 0 ? h->nodes[0] : NULL;
}
