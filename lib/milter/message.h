/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_MILTER_MESSAGE_H
#define SMTPD_MILTER_MESSAGE_H

/*
 * A message, told to a milter field by field and chunk by chunk while it comes:
 * the three calls of a filter (filter.h), whose USER is the milter.
 */

#include <smtpd/filter.h>

int smtpd__milter_message_begin(struct smtpd_session *s,
    const struct smtpd_envelope *envelope, struct smtpd_body *body, void *user);
int smtpd__milter_message_data(struct smtpd_session *s, struct smtpd_body *body,
    const void *data, size_t len, void *user);
int smtpd__milter_message_end(
    struct smtpd_session *s, struct smtpd_body *body, void *user);

#endif
