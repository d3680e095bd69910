/* SPDX-License-Identifier: MIT */
#include "server/events.h"

#include <stdlib.h>

#include "base/sized.h"
#include "server/session_state.h"

int
smtpd__events_add(
    struct smtpd_event_list *list, const struct smtpd_events *events)
{
	struct smtpd_events copy;
	struct smtpd_events *more;

	if (smtpd__sized_copy(&copy, sizeof(copy), events) == -1)
		return -1;
	more = realloc(list->sets, (list->count + 1) * sizeof(*more));
	if (more == NULL)
		return -1;
	list->sets = more;
	more[list->count++] = copy;
	return 0;
}

void
smtpd__events_finish(struct smtpd_event_list *list)
{
	free(list->sets);
}

int
smtpd__events_connect(struct smtpd_session *s)
{
	const struct smtpd_event_list *list = &s->config->events;

	for (size_t i = 0; i < list->count; i++) {
		const struct smtpd_events *e = &list->sets[i];
		int result;

		s->may_reply = true;
		result = e->connect != NULL ? e->connect(s, e->user) : 0;
		s->may_reply = false;
		if (result != 0)
			return result;
		s->ws->reply.code = 0;
	}
	return 0;
}

void
smtpd__events_tls(struct smtpd_session *s)
{
	const struct smtpd_event_list *list = &s->config->events;

	for (size_t i = 0; i < list->count; i++) {
		if (list->sets[i].tls != NULL)
			list->sets[i].tls(s, list->sets[i].user);
	}
}

void
smtpd__events_transaction_end(
    struct smtpd_session *s, enum smtpd_end how, int code)
{
	const struct smtpd_event_list *list = &s->config->events;

	for (size_t i = 0; i < list->count; i++) {
		const struct smtpd_events *e = &list->sets[i];

		if (e->transaction_end != NULL)
			e->transaction_end(s, &s->envelope, how, code, e->user);
	}
}

void
smtpd__events_disconnect(struct smtpd_session *s)
{
	const struct smtpd_event_list *list = &s->config->events;

	for (size_t i = 0; i < list->count; i++) {
		const struct smtpd_events *e = &list->sets[i];

		if (e->disconnect != NULL)
			e->disconnect(s, s->why, e->user);
	}
}
