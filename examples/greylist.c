/* SPDX-License-Identifier: MIT */

/*
 * greylist: a server that takes mail from strangers at their second try only,
 * five minutes later or more; then it drops it, as an example.  Programs that
 * send spam do not try again.  Usage: greylist ADDRESS:PORT [SECONDS]
 */

#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <smtpd.h>

/* By a hash of client, sender and recipient; who is pushed out tries again. */
#define SEEN_MAX 65536

struct greylist {
	pthread_mutex_t lock;
	time_t wait;
	struct {
		uint64_t who;
		time_t first;
	} seen[SEEN_MAX];
};

static uint64_t
add_hash(uint64_t h, const char *s)
{
	do
		h = (h ^ (unsigned char)*s) * UINT64_C(1099511628211);
	while (*s++ != '\0');
	return h;
}

static int
check_rcpt(struct smtpd_session *s, const struct smtpd_command *c, void *user)
{
	const struct smtpd_envelope *e = smtpd_session_envelope(s);
	struct greylist *g = user;
	uint64_t who =
	    add_hash(UINT64_C(14695981039346656037), smtpd_session_peer(s));
	time_t now = time(NULL);
	size_t i;
	bool known;

	who = add_hash(add_hash(who, e->sender.text), c->address->text);
	i = who % SEEN_MAX;
	pthread_mutex_lock(&g->lock);
	if (g->seen[i].who != who) {
		g->seen[i].who = who;
		g->seen[i].first = now;
	}
	known = now - g->seen[i].first >= g->wait;
	pthread_mutex_unlock(&g->lock);
	return known
	    ? 0
	    : smtpd_reply(s, 451, "4.7.1",
		  "Greylisted, please try again in %ld seconds", (long)g->wait);
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
	static struct greylist g = { .lock = PTHREAD_MUTEX_INITIALIZER };
	struct smtpd_server *srv = smtpd_server_create(NULL);
	sigset_t set;
	int sig;

	if (srv == NULL || argc < 2)
		return 64;
	g.wait = argc > 2 ? strtol(argv[2], NULL, 10) : 300;
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	if (smtpd_server_add_handler(srv, "RCPT", check_rcpt, &g) == -1 ||
	    smtpd_server_set_deliver(srv, drop_message, NULL) == -1 ||
	    smtpd_server_listen(srv, argv[1], 0) == -1 ||
	    smtpd_server_start(srv) == -1) {
		fprintf(stderr, "greylist: %s\n", smtpd_server_error(srv));
		return 1;
	}
	printf("listening on %s\n", smtpd_server_address(srv, 0));
	fflush(stdout);
	sigwait(&set, &sig);
	smtpd_server_destroy(srv);
	return 0;
}
