/* SPDX-License-Identifier: MIT */
#include "base/ring.h"

void
smtpd_ring_init(struct smtpd_ring *r)
{
	r->next = r;
	r->previous = r;
}

bool
smtpd_ring_is_empty(const struct smtpd_ring *r)
{
	return r->next == r;
}

void
smtpd_ring_append(struct smtpd_ring *list, struct smtpd_ring *link)
{
	link->next = list;
	link->previous = list->previous;
	list->previous->next = link;
	list->previous = link;
}

void
smtpd_ring_prepend(struct smtpd_ring *list, struct smtpd_ring *link)
{
	smtpd_ring_append(list->next, link);
}

void
smtpd_ring_remove(struct smtpd_ring *link)
{
	link->previous->next = link->next;
	link->next->previous = link->previous;
	smtpd_ring_init(link);
}
