/* SPDX-License-Identifier: MIT */
/* A complete server: it stores mail for anyone at example.org in ./Maildir. */
#include <smtpd.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

static int
check_rcpt(struct smtpd_session *s, const struct smtpd_command *c, void *user)
{
	const char *domain = c->address->domain;

	(void)user;
	/* Every server takes mail for <postmaster>, which has no domain. */
	if (domain[0] == '\0' || strcasecmp(domain, "example.org") == 0)
		return 0;
	return smtpd_reply(
	    s, 550, "5.7.1", "Domain not handled by this server");
}

static int
store_message(struct smtpd_session *s, const struct smtpd_envelope *envelope,
    struct smtpd_body *body, void *maildir)
{
	struct smtpd_maildir_message *m = smtpd_maildir_begin(maildir);
	char buf[4096], header[SMTPD_TRACE_MAX];
	ssize_t n;

	(void)envelope;
	smtpd_session_trace(s, NULL, header, sizeof(header));
	if (m != NULL &&
	    smtpd_maildir_add(m, "Maildir", 0, header, strlen(header)) == 0)
		while ((n = smtpd_body_read(body, buf, sizeof(buf))) > 0)
			smtpd_maildir_write(m, buf, (size_t)n);
	else
		n = -1;
	if (n == 0 && smtpd_maildir_commit(m) == 0)
		return 0;
	if (n != 0)
		smtpd_maildir_abort(m);
	return smtpd_reply(
	    s, 451, "4.3.0", "Message could not be stored, try again later");
}

int
main(void)
{
	struct smtpd_maildir *maildir = smtpd_maildir_create(NULL);
	struct smtpd_server *srv = smtpd_server_create(NULL);

	if (maildir == NULL || srv == NULL)
		return 1;
	smtpd_maildir_make("Maildir", 0);
	if (smtpd_server_add_handler(srv, "RCPT", check_rcpt, NULL) == -1 ||
	    smtpd_server_set_deliver(srv, store_message, maildir) == -1 ||
	    smtpd_server_listen(srv, "127.0.0.1:2525", 0) == -1 ||
	    smtpd_server_start(srv) == -1) {
		fprintf(stderr, "%s\n", smtpd_server_error(srv));
		return 1;
	}
	pause();
	return 0;
}
