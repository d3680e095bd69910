/* SPDX-License-Identifier: MIT */
#include "receiver.h"

#include <stdio.h>

static int
accept_rcpt(struct smtpd_session *s, const struct smtpd_command *c, void *user)
{
	(void)s, (void)c, (void)user;
	return 0;
}

/* This is not on the thread of the loop. */
static int
print_message(struct smtpd_session *s, const struct smtpd_envelope *envelope,
    struct smtpd_body *body, void *user)
{
	char buf[4096];
	ssize_t n;

	(void)s, (void)user;
	while ((n = smtpd_body_read(body, buf, sizeof(buf))) > 0)
		continue;
	if (n == 0)
		printf("message from <%s>\n", envelope->sender.text);
	return 0;
}

struct smtpd_server *
receiver_start(void)
{
	struct smtpd_server *srv =
	    smtpd_server_create(&(struct smtpd_settings){ SMTPD_SETTINGS_INIT,
		.hostname = "localhost", .flags = SMTPD_FLAG_ADOPTS });

	if (srv == NULL)
		return NULL;
	/* A reader gets each line at once. */
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (smtpd_server_add_handler(srv, "RCPT", accept_rcpt, NULL) == 0 &&
	    smtpd_server_set_deliver(srv, print_message, NULL) == 0 &&
	    smtpd_server_start(srv) == 0)
		return srv;
	fprintf(stderr, "%s\n", smtpd_server_error(srv));
	smtpd_server_destroy(srv);
	return NULL;
}
