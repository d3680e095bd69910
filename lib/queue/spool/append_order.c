/* SPDX-License-Identifier: MIT */
#include "queue/spool/append_order.h"

bool
smtpd__append_order_enter(struct smtpd_spool *s, struct smtpd_queued_message *e,
    struct smtpd_flight *f)
{
	bool ended;

	pthread_mutex_lock(&s->mutex);
	/* A removal may yet fail; then E goes on. */
	while ((e->flags & SMTPD_MESSAGE_ENDED) == 0 &&
	    (e->flags & (SMTPD_MESSAGE_LOCKED | SMTPD_MESSAGE_REMOVED)) != 0)
		pthread_cond_wait(&s->landed, &s->mutex);
	ended = (e->flags & SMTPD_MESSAGE_ENDED) != 0;
	if (!ended) {
		f->message = e;
		f->next = s->flights;
		s->flights = f;
	}
	pthread_mutex_unlock(&s->mutex);
	return !ended;
}

void
smtpd__append_order_leave(struct smtpd_spool *s, struct smtpd_flight *f)
{
	struct smtpd_flight **at = &s->flights;

	while (*at != f)
		at = &(*at)->next;
	*at = f->next;
	pthread_cond_broadcast(&s->landed);
}

void
smtpd__append_order_unlock(
    struct smtpd_spool *s, struct smtpd_queued_message *e)
{
	e->flags &= (uint32_t)~SMTPD_MESSAGE_LOCKED;
	pthread_cond_broadcast(&s->landed);
}

bool
smtpd__append_order_lock(struct smtpd_spool *s, struct smtpd_queued_message *e)
{
	while ((e->flags & SMTPD_MESSAGE_LOCKED) != 0)
		pthread_cond_wait(&s->landed, &s->mutex);
	if ((e->flags & SMTPD_MESSAGE_ENDED) != 0)
		return false;
	e->flags |= SMTPD_MESSAGE_LOCKED;
	/* Wait for those that report progress of E. */
	for (const struct smtpd_flight *f = s->flights; f != NULL;) {
		if (f->message != e) {
			f = f->next;
			continue;
		}
		pthread_cond_wait(&s->landed, &s->mutex);
		f = s->flights;
	}
	if ((e->flags & SMTPD_MESSAGE_ENDED) == 0)
		return true;
	smtpd__append_order_unlock(s, e);
	return false;
}
