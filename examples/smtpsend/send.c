/* SPDX-License-Identifier: MIT */
#include "send.h"

#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sysexits.h>

/* Recipients that share a way: those of one domain, or all. */
struct group {
	struct job *job;
	struct smtpd_client *client;
	struct smtpd_outgoing_rcpt *rcpts; /* that are not done yet */
	size_t count;
	int status; /* for the program to exit with */
};

static const char *
domain_of(const char *address)
{
	const char *at = strrchr(address, '@');

	return at != NULL ? at + 1 : "";
}

/* Tell what became of a recipient. */
static void
report(struct group *g, const char *rcpt, const struct smtpd_result *r)
{
	static const char *const words[] = { "sent", "not now", "refused",
		"perhaps sent" };
	char code[8] = "";

	if (r->code != 0)
		snprintf(code, sizeof(code), "%d ", r->code);
	fprintf(stderr, "smtpsend: %s: %s: %s%s %s\n", rcpt, words[r->outcome],
	    code, r->status, r->text);
	if (r->outcome == SMTPD_OUTCOME_PERMANENT)
		g->status = EX_UNAVAILABLE;
	else if (r->outcome != SMTPD_OUTCOME_SENT && g->status == EX_OK)
		g->status = EX_TEMPFAIL;
}

/* Report those that are done; keep the others for the next host, if LAST does
 * not say that there is none. */
static void
sift(struct group *g, bool last)
{
	size_t kept = 0;

	for (size_t i = 0; i < g->count; i++) {
		const struct smtpd_result *r =
		    smtpd_client_rcpt_result(g->client, i);

		if (!last && r->outcome == SMTPD_OUTCOME_TEMPORARY)
			g->rcpts[kept++] = g->rcpts[i];
		else
			report(g, g->rcpts[i].address, r);
	}
	g->count = kept;
}

/* The same reason for all that are left. */
static void
give_up(struct group *g, const struct smtpd_result *why)
{
	for (size_t i = 0; i < g->count; i++)
		report(g, g->rcpts[i].address, why);
	g->count = 0;
}

static void
show_tls(const struct smtpd_client_tls_info *tls)
{
	if (tls != NULL)
		fprintf(stderr, "# %s %s, %s%s\n", tls->version, tls->cipher,
		    tls->verified ? "verified" : "not verified: ", tls->reason);
}

/* Try one host, of COUNT addresses.  If it cannot be talked to at all, another
 * one may. */
static void
try_host(struct group *g, const struct smtpd_target *targets, size_t count,
    uint16_t port, bool last)
{
	struct smtpd_outgoing_envelope envelope = g->job->envelope;
	struct smtpd_outgoing message = g->job->message;

	if (g->job->verbose)
		fprintf(stderr, "# %s port %u\n", targets->host, port);
	if (smtpd_client_connect(g->client, targets, count, port) != 0) {
		if (last)
			give_up(g, smtpd_client_result(g->client));
		return;
	}
	if (g->job->verbose)
		show_tls(smtpd_client_tls(g->client));
	envelope.rcpts = g->rcpts;
	envelope.nrcpts = g->count;
	message.envelope = &envelope;
	smtpd_client_send(g->client, &message);
	smtpd_client_quit(g->client);
	sift(g, last);
}

/* Try the hosts in their order, each with all its addresses. */
static void
try_all(struct group *g, const struct smtpd_targets *targets, uint16_t port)
{
	size_t n;

	for (size_t at = 0; at < targets->count && g->count > 0; at += n) {
		const struct smtpd_target *first =
		    smtpd_targets_get(targets, at);
		const struct smtpd_target *next;

		n = 1;
		while ((next = smtpd_targets_get(targets, at + n)) != NULL &&
		    strcmp(next->host, first->host) == 0)
			n++;
		try_host(g, first, n, port, at + n == targets->count);
	}
}

static void
send_to_domain(struct group *g, const char *domain)
{
	struct smtpd_targets *t = smtpd_resolve(g->job->resolver, domain, NULL);
	struct smtpd_result why = { .outcome = SMTPD_OUTCOME_TEMPORARY };

	if (t != NULL && t->outcome == SMTPD_RESOLVE_FOUND) {
		try_all(g, t, g->job->port);
		smtpd_targets_free(t);
		return;
	}
	if (t != NULL && t->outcome == SMTPD_RESOLVE_NEVER)
		why.outcome = SMTPD_OUTCOME_PERMANENT;
	snprintf(why.status, sizeof(why.status), "%s",
	    t != NULL ? t->status : "4.3.0");
	snprintf(why.text, sizeof(why.text), "%s",
	    t != NULL ? t->reason : "out of memory");
	give_up(g, &why);
	smtpd_targets_free(t);
}

/* The system says where the smarthost is: its name may be a local one. */
static void
send_to_smarthost(struct group *g)
{
	const struct smarthost *s = &g->job->smarthost;
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	struct addrinfo *found = NULL;
	struct smtpd_target targets[8];
	size_t n = 0;
	int error = getaddrinfo(s->host, NULL, &hints, &found);
	struct smtpd_result why = { .outcome = SMTPD_OUTCOME_TEMPORARY,
		.status = "4.4.3" };

	if (error != 0) {
		snprintf(why.text, sizeof(why.text), "%s: %s", s->host,
		    gai_strerror(error));
		give_up(g, &why);
		return;
	}
	for (struct addrinfo *a = found; a != NULL && n < 8; a = a->ai_next) {
		targets[n] = (struct smtpd_target){ SMTPD_TARGET_INIT,
			.host = s->host, .len = a->ai_addrlen };
		memcpy(&targets[n++].addr, a->ai_addr, a->ai_addrlen);
	}
	freeaddrinfo(found);
	try_host(g, targets, n, s->port, true);
}

/* Take the recipients that belong to the one at FIRST out of the job. */
static void
gather(struct group *g, size_t first)
{
	struct job *j = g->job;
	const char *domain = domain_of(j->rcpts[first]);

	g->count = 0;
	for (size_t i = first; i < j->nrcpts; i++) {
		if (j->rcpts[i] == NULL)
			continue;
		if (j->smarthost.host == NULL &&
		    strcasecmp(domain_of(j->rcpts[i]), domain) != 0)
			continue;
		g->rcpts[g->count++] =
		    (struct smtpd_outgoing_rcpt){ SMTPD_OUTGOING_RCPT_INIT,
			    .address = j->rcpts[i] };
		j->rcpts[i] = NULL;
	}
}

int
send_all(struct job *j)
{
	struct group g = { .job = j,
		.client = smtpd_client_create(&j->client),
		.rcpts = calloc(j->nrcpts, sizeof(*g.rcpts)),
		.status = EX_OSERR };

	if (g.client == NULL || g.rcpts == NULL)
		goto out;
	g.status = EX_OK;
	for (size_t i = 0; i < j->nrcpts; i++) {
		if (j->rcpts[i] == NULL)
			continue;
		gather(&g, i);
		if (j->smarthost.host != NULL)
			send_to_smarthost(&g);
		else
			send_to_domain(&g, domain_of(g.rcpts[0].address));
	}
out:
	free(g.rcpts);
	smtpd_client_destroy(g.client);
	return g.status;
}
