/* SPDX-License-Identifier: MIT */
/* A sink for tests and load: it takes all mail, counts it, and throws it away
 * or stores it in one Maildir. */
#include <signal.h>
#include <smtpd.h>
#include <stdio.h>
#include <string.h>

static const char help[] =
    "Usage: sink [--lmtp] [--maildir DIR] [ADDRESS:PORT]...\n"
    "Take all mail, and throw it away; after SIGINT or SIGTERM, say how much\n"
    "came.  Without an address listen on 127.0.0.1:2525; port 0 is any free\n"
    "one.\n\n"
    "  --lmtp         speak LMTP instead of SMTP\n"
    "  --maildir DIR  store each message in DIR, before it is answered\n";

struct store {
	struct smtpd_maildir *root;
	const char *dir;
};

static int
take_rcpt(struct smtpd_session *s, const struct smtpd_command *c, void *user)
{
	(void)s, (void)c, (void)user;
	return 0;
}

static int
discard_message(struct smtpd_session *s, const struct smtpd_envelope *e,
    struct smtpd_body *body, void *user)
{
	(void)s, (void)e, (void)body, (void)user;
	return 0; /* The library reads what is left unread. */
}

static int
store_message(struct smtpd_session *s, const struct smtpd_envelope *e,
    struct smtpd_body *body, void *user)
{
	const struct store *st = user;
	struct smtpd_maildir_message *m = smtpd_maildir_begin(st->root);
	char buf[16384];
	ssize_t n = -1;

	(void)e;
	smtpd_session_received(s, buf, sizeof(buf));
	if (m != NULL &&
	    smtpd_maildir_add(m, st->dir, 0, buf, strlen(buf)) == 0)
		while ((n = smtpd_body_read(body, buf, sizeof(buf))) > 0)
			smtpd_maildir_write(m, buf, (size_t)n);
	if (n == 0 && smtpd_maildir_commit(m) == 0)
		return 0;
	if (n != 0)
		smtpd_maildir_abort(m);
	return smtpd_reply(s, 451, "4.3.0", "Message could not be stored");
}

/* Serve until a signal comes, which no thread of the server gets. */
static int
run_server(struct smtpd_server *srv)
{
	struct smtpd_server_counters c = { SMTPD_SERVER_COUNTERS_INIT };
	sigset_t set;
	int sig;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	if (smtpd_server_start(srv) == -1)
		return -1;
	for (size_t i = 0; smtpd_server_address(srv, i) != NULL; i++)
		fprintf(
		    stderr, "listening on %s\n", smtpd_server_address(srv, i));
	sigwait(&set, &sig);
	smtpd_server_drain(srv, 1000);
	smtpd_server_count(srv, &c);
	printf("%llu messages, %llu recipients, %llu connections, %llu bytes\n",
	    (unsigned long long)c.messages, (unsigned long long)c.recipients,
	    (unsigned long long)c.connections, (unsigned long long)c.bytes_in);
	return 0;
}

int
main(int argc, char **argv)
{
	/* Tests come from one address, and say a lot. */
	struct smtpd_server *srv = smtpd_server_create(&(struct smtpd_settings){
	    SMTPD_SETTINGS_INIT,
	    .flags = SMTPD_FLAG_SMTPUTF8 | SMTPD_FLAG_CHUNKING,
	    .max_connections = 20000, .max_per_address = SMTPD_NO_LIMIT,
	    .max_per_network = SMTPD_NO_LIMIT, .max_per_user = SMTPD_NO_LIMIT,
	    .max_transactions = SMTPD_NO_LIMIT });
	struct store st = { .root = smtpd_maildir_create(NULL) };
	char by_default[] = "127.0.0.1:2525";
	unsigned flags = 0;
	int i = 1, status = 1;

	for (; i < argc && argv[i][0] == '-'; i++) {
		if (strcmp(argv[i], "--lmtp") == 0) {
			flags = SMTPD_LISTEN_LMTP;
		} else if (strcmp(argv[i], "--maildir") == 0 && i + 1 < argc) {
			st.dir = argv[++i];
		} else {
			int helps = strcmp(argv[i], "--help") == 0;

			fputs(help, helps ? stdout : stderr);
			status = helps ? 0 : 64;
			goto out;
		}
	}
	if (srv == NULL || st.root == NULL ||
	    (st.dir != NULL && smtpd_maildir_make(st.dir, 0) == -1)) {
		perror("sink");
		goto out;
	}
	smtpd_server_add_handler(srv, "RCPT", take_rcpt, NULL);
	smtpd_server_set_deliver(
	    srv, st.dir != NULL ? store_message : discard_message, &st);
	if (i == argc)
		argv[--i] = by_default;
	while (i < argc && smtpd_server_listen(srv, argv[i], flags) == 0)
		i++;
	if (i < argc || run_server(srv) == -1)
		fprintf(stderr, "sink: %s\n", smtpd_server_error(srv));
	else
		status = 0;
out:
	smtpd_server_destroy(srv);
	smtpd_maildir_destroy(st.root);
	return status;
}
