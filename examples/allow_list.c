/* SPDX-License-Identifier: MIT */

/*
 * allow_list: a server that takes mail from the senders in a file alone, one
 * address or @domain a line, read anew for each; then it drops it, as an
 * example.  Usage: allow_list ADDRESS:PORT FILE
 */

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <smtpd.h>

/* Whether LINE of the file allows SENDER. */
static bool
is_match(const char *line, const struct smtpd_address *sender)
{
	if (line[0] == '@')
		return strcasecmp(line + 1, sender->domain) == 0;
	return line[0] != '\0' && line[0] != '#' &&
	    strcasecmp(line, sender->text) == 0;
}

static int
check_mail(struct smtpd_session *s, const struct smtpd_command *c, void *path)
{
	FILE *file = fopen(path, "r");
	bool allowed = false;
	char line[1024];

	if (file == NULL)
		return smtpd_reply(
		    s, 451, "4.3.0", "The list cannot be read, try later");
	while (!allowed && fgets(line, sizeof(line), file) != NULL) {
		line[strcspn(line, "\r\n")] = '\0';
		allowed = is_match(line, c->address);
	}
	fclose(file);
	return allowed
	    ? 0
	    : smtpd_reply(s, 550, "5.7.1", "Mail from <%s> is not taken here",
		  c->address->text);
}

static int
accept_rcpt(struct smtpd_session *s, const struct smtpd_command *c, void *user)
{
	(void)s, (void)c, (void)user;
	return 0;
}

static int
drop_message(struct smtpd_session *s, const struct smtpd_envelope *e,
    struct smtpd_body *body, void *user)
{
	(void)s, (void)e, (void)body, (void)user;
	return 0;
}

int
main(int argc, char **argv)
{
	struct smtpd_server *srv = smtpd_server_create(NULL);
	sigset_t set;
	int sig;

	if (srv == NULL || argc != 3)
		return 64;
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	if (smtpd_server_add_handler(srv, "MAIL", check_mail, argv[2]) == -1 ||
	    smtpd_server_add_handler(srv, "RCPT", accept_rcpt, NULL) == -1 ||
	    smtpd_server_set_deliver(srv, drop_message, NULL) == -1 ||
	    smtpd_server_listen(srv, argv[1], 0) == -1 ||
	    smtpd_server_start(srv) == -1) {
		fprintf(stderr, "allow_list: %s\n", smtpd_server_error(srv));
		return 1;
	}
	printf("listening on %s\n", smtpd_server_address(srv, 0));
	fflush(stdout);
	sigwait(&set, &sig);
	smtpd_server_destroy(srv);
	return 0;
}
