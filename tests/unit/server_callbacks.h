/* SPDX-License-Identifier: MIT */
#ifndef UNIT_SERVER_CALLBACKS_H
#define UNIT_SERVER_CALLBACKS_H

/* Callbacks that tests of the server register where any would do. */

#include <smtpd.h>

/* A handler that accepts. */
int callback_accept(
    struct smtpd_session *s, const struct smtpd_command *command, void *user);

/* Deliveries: one that reads nothing, and one that reads all and answers 451
 * when the message has no valid end. */
int callback_take_unread(struct smtpd_session *s,
    const struct smtpd_envelope *envelope, struct smtpd_body *body, void *user);
int callback_read_all(struct smtpd_session *s,
    const struct smtpd_envelope *envelope, struct smtpd_body *body, void *user);

#endif
