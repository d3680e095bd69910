/* SPDX-License-Identifier: MIT */
#include "base/ring.h"

void
smtpd__ring_init(struct smtpd_ring *r)
{
	r->next = r;
	r->previous = r;
}

bool
smtpd__ring_is_empty(const struct smtpd_ring *r)
{
	return r->next == r;
}

void
smtpd__ring_append(struct smtpd_ring *list, struct smtpd_ring *link)
{
	link->next = list;
	link->previous = list->previous;
	list->previous->next = link;
	list->previous = link;
}

void
smtpd__ring_prepend(struct smtpd_ring *list, struct smtpd_ring *link)
{
	smtpd__ring_append(list->next, link);
}

void
smtpd__ring_remove(struct smtpd_ring *link)
{
	link->previous->next = link->next;
	link->next->previous = link->previous;
	smtpd__ring_init(link);
}
