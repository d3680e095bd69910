/* SPDX-License-Identifier: MIT */
#include "server_callbacks.h"

int
callback_accept(
    struct smtpd_session *s, const struct smtpd_command *command, void *user)
{
	(void)s, (void)command, (void)user;
	return 0;
}

int
callback_take_unread(struct smtpd_session *s,
    const struct smtpd_envelope *envelope, struct smtpd_body *body, void *user)
{
	(void)s, (void)envelope, (void)body, (void)user;
	return 0;
}

int
callback_read_all(struct smtpd_session *s,
    const struct smtpd_envelope *envelope, struct smtpd_body *body, void *user)
{
	char buf[512];
	ssize_t n;

	(void)envelope, (void)user;
	do {
		n = smtpd_body_read(body, buf, sizeof(buf));
	} while (n > 0);
	return n == 0 ? 0 : smtpd_reply(s, 451, "4.3.0", "half a message");
}
