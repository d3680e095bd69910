/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_GRAMMAR_URGENCY_H
#define SMTPD_GRAMMAR_URGENCY_H

/*
 * The values of the parameters of MAIL that say by when a message is wanted
 * (RFC 2852), not before when (RFC 4865), and before which others (RFC 6710).
 */

#include <smtpd/session.h>

/* The largest number of seconds that can be said. */
#define SMTPD_URGENCY_SECONDS_MAX 999999999

/* Each reads VALUE, NULL when there was no "=".  Return 0, or -1 when it is
 * none that the RFC allows. */
int smtpd__urgency_read_by(const char *value, struct smtpd_deliver_by *by);
int smtpd__urgency_read_holdfor(const char *value, uint32_t *seconds);
int smtpd__urgency_read_priority(const char *value, int *priority);

/* Room for the name of a policy of priorities. */
#define SMTPD_PRIORITY_POLICY_SIZE 21

/* Whether NAME can be that of one: letters, digits and hyphens. */
bool smtpd__urgency_is_policy(const char *name);

#endif
