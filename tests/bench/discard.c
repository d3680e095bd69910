/* SPDX-License-Identifier: MIT */
/*
 * discard [-f] ADDRESS...: take every message and throw it away, to measure
 * what the library costs.  All rules and limits are on; only those that count
 * connections and transactions are raised, since one machine is all clients.
 * -f: behind a filter that sees each message and lets it pass.
 */

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include <smtpd.h>

static int
accept_rcpt(
    struct smtpd_session *s, const struct smtpd_command *command, void *user)
{
	(void)s;
	(void)command;
	(void)user;
	return 0;
}

static int
discard(struct smtpd_session *s, const struct smtpd_envelope *envelope,
    struct smtpd_body *body, void *user)
{
	(void)s;
	(void)envelope;
	(void)user;
	char buf[16384];
	while (smtpd_body_read(body, buf, sizeof(buf)) > 0)
		continue;
	return 0;
}

static int
pass_data(struct smtpd_session *s, struct smtpd_body *body, const void *data,
    size_t len, void *user)
{
	(void)s;
	(void)body;
	(void)data;
	(void)len;
	(void)user;
	return 0;
}

static int
pass_end(struct smtpd_session *s, struct smtpd_body *body, void *user)
{
	(void)s;
	(void)body;
	(void)user;
	return 0;
}

static int
add_filter(struct smtpd_server *srv)
{
	const struct smtpd_filter filter = {
		SMTPD_FILTER_INIT,
		.data = pass_data,
		.end = pass_end,
	};

	return smtpd_server_add_filter(srv, &filter);
}

static void
print_log(enum smtpd_log_level level, const char *text, void *user)
{
	(void)level;
	(void)user;
	fprintf(stderr, "%s\n", text);
}

static int
run(struct smtpd_server *srv, char **addresses)
{
	if (smtpd_server_add_handler(srv, "RCPT", accept_rcpt, NULL) < 0)
		return -1;
	smtpd_server_set_deliver(srv, discard, NULL);
	for (; *addresses != NULL; addresses++) {
		if (smtpd_server_listen(srv, *addresses, 0) < 0)
			return -1;
	}

	/* The server's threads inherit the mask: only sigwait() takes these. */
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	if (smtpd_server_start(srv) < 0)
		return -1;
	for (size_t i = 0; smtpd_server_address(srv, i) != NULL; i++)
		fprintf(
		    stderr, "listening on %s\n", smtpd_server_address(srv, i));

	int signal;
	sigwait(&set, &signal);
	smtpd_server_drain(srv, 1000);
	return 0;
}

int
main(int argc, char **argv)
{
	bool filtered = argc > 1 && strcmp(argv[1], "-f") == 0;
	if (filtered)
		argv++, argc--;
	if (argc < 2) {
		fputs("usage: discard [-f] ADDRESS:PORT...\n", stderr);
		return EX_USAGE;
	}
	struct smtpd_server *srv = smtpd_server_create(&(struct smtpd_settings){
	    SMTPD_SETTINGS_INIT,
	    .hostname = "discard.example.org",
	    .flags = SMTPD_FLAG_CHUNKING,
	    .max_connections = 100000,
	    .max_per_address = SMTPD_NO_LIMIT,
	    .max_per_network = SMTPD_NO_LIMIT,
	    .max_transactions = SMTPD_NO_LIMIT,
	    .log = print_log,
	    .log_level = SMTPD_LOG_WARNING,
	});
	if (srv == NULL) {
		fprintf(stderr, "discard: cannot make a server: %s\n",
		    strerror(errno));
		return EX_OSERR;
	}
	int status = EX_OK;
	if ((filtered && add_filter(srv) < 0) || run(srv, argv + 1) < 0) {
		fprintf(stderr, "discard: %s\n", smtpd_server_error(srv));
		status = EX_UNAVAILABLE;
	}
	smtpd_server_destroy(srv);
	return status;
}
