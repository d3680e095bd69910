/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_SERVER_EVENTS_H
#define SMTPD_SERVER_EVENTS_H

/*
 * The events of a server: the program may register several sets, which are
 * told in the order of their registration.
 */

#include <smtpd/server.h>

#include <stddef.h>

/* All zero: empty. */
struct smtpd_event_list {
	struct smtpd_events *sets;
	size_t count;
};

/* Append a copy of EVENTS.  Return 0, or -1 with errno EINVAL (its size, see
 * version.h) or ENOMEM. */
int smtpd__events_add(
    struct smtpd_event_list *list, const struct smtpd_events *events);

/* Free what LIST holds. */
void smtpd__events_finish(struct smtpd_event_list *list);

/* Tell S's events; the functions of struct smtpd_events say when.  The first
 * connect that does not return 0 ends the round, and its result is returned. */
int smtpd__events_connect(struct smtpd_session *s);
void smtpd__events_tls(struct smtpd_session *s);
void smtpd__events_transaction_end(
    struct smtpd_session *s, enum smtpd_end how, int code);
void smtpd__events_disconnect(struct smtpd_session *s);

#endif
