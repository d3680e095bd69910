/* SPDX-License-Identifier: MIT */
#include "send.h"

#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sysexits.h>

/* Recipients that are sent to together: those of one domain, or all. */
struct group {
	struct run *run;
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

/* Report what became of a recipient. */
static void
report_result(struct group *g, const char *rcpt, const struct smtpd_result *r)
{
	static const char *const words[] = { "sent", "not now", "refused",
		"perhaps sent" };
	char code[16];

	snprintf(code, sizeof(code), "%d", r->code);
	fprintf(stderr, "smtpsend: %s: %s: %s %s\n", rcpt, words[r->outcome],
	    r->code != 0 ? code : r->status, r->text);
	if (r->outcome == SMTPD_OUTCOME_PERMANENT)
		g->status = EX_UNAVAILABLE;
	else if (r->outcome != SMTPD_OUTCOME_SENT && g->status == EX_OK)
		g->status = EX_TEMPFAIL;
}

/* Report the recipients that are done.  Those that failed for now are kept for
 * the next host, unless this is the LAST one. */
static void
keep_temporary(struct group *g, bool last)
{
	size_t kept = 0;

	for (size_t i = 0; i < g->count; i++) {
		const struct smtpd_result *r =
		    smtpd_client_rcpt_result(g->client, i);

		if (!last && r->outcome == SMTPD_OUTCOME_TEMPORARY)
			g->rcpts[kept++] = g->rcpts[i];
		else
			report_result(g, g->rcpts[i].address, r);
	}
	g->count = kept;
}

/* Report the same reason for all that are left. */
static void
report_all(struct group *g, const struct smtpd_result *why)
{
	for (size_t i = 0; i < g->count; i++)
		report_result(g, g->rcpts[i].address, why);
	g->count = 0;
}

static void
show_tls(const struct smtpd_client_tls_info *tls)
{
	if (tls != NULL)
		fprintf(stderr, "# %s %s, %s%s\n", tls->version, tls->cipher,
		    tls->verified ? "verified" : "not verified: ", tls->reason);
}

/* Try one host, of COUNT addresses.  When it does not answer, the recipients
 * stay for the next one, unless this is the LAST. */
static void
try_host(struct group *g, const struct smtpd_target *targets, size_t count,
    uint16_t port, bool last)
{
	struct smtpd_outgoing_envelope envelope = g->run->envelope;
	struct smtpd_outgoing message = g->run->message;

	if (g->run->verbose)
		fprintf(stderr, "# %s port %u\n", targets->host, port);
	if (smtpd_client_connect(g->client, targets, count, port) == -1) {
		if (last)
			report_all(g, smtpd_client_result(g->client));
		return;
	}
	if (g->run->verbose)
		show_tls(smtpd_client_tls(g->client));
	envelope.rcpts = g->rcpts;
	envelope.nrcpts = g->count;
	message.envelope = &envelope;
	smtpd_client_send(g->client, &message);
	smtpd_client_quit(g->client);
	keep_temporary(g, last);
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
	struct smtpd_targets *t = smtpd_resolve(g->run->resolver, domain, NULL);
	struct smtpd_result why = { .outcome = SMTPD_OUTCOME_TEMPORARY };

	if (t != NULL && t->outcome == SMTPD_RESOLVE_FOUND) {
		try_all(g, t, g->run->port);
		smtpd_targets_free(t);
		return;
	}
	if (t != NULL && t->outcome == SMTPD_RESOLVE_NEVER)
		why.outcome = SMTPD_OUTCOME_PERMANENT;
	snprintf(why.status, sizeof(why.status), "%s",
	    t != NULL ? t->status : "4.3.0");
	snprintf(why.text, sizeof(why.text), "%s",
	    t != NULL ? t->reason : "out of memory");
	report_all(g, &why);
	smtpd_targets_free(t);
}

/* The system resolves the name of the smarthost: it may be a local one. */
static void
send_to_smarthost(struct group *g)
{
	const struct smarthost *s = &g->run->smarthost;
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
		report_all(g, &why);
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

/* Move the recipients that belong to the one at FIRST from the run to G. */
static void
gather_group(struct group *g, size_t first)
{
	struct run *run = g->run;
	const char *domain = domain_of(run->rcpts[first]);

	g->count = 0;
	for (size_t i = first; i < run->nrcpts; i++) {
		if (run->rcpts[i] == NULL)
			continue;
		if (run->smarthost.host == NULL &&
		    strcasecmp(domain_of(run->rcpts[i]), domain) != 0)
			continue;
		g->rcpts[g->count++] =
		    (struct smtpd_outgoing_rcpt){ SMTPD_OUTGOING_RCPT_INIT,
			    .address = run->rcpts[i] };
		run->rcpts[i] = NULL;
	}
}

int
send_all(struct run *run)
{
	struct group g = { .run = run,
		.client = smtpd_client_create(&run->client),
		.rcpts = calloc(run->nrcpts, sizeof(*g.rcpts)),
		.status = EX_OSERR };

	if (g.client == NULL || g.rcpts == NULL)
		goto out;
	g.status = EX_OK;
	for (size_t i = 0; i < run->nrcpts; i++) {
		if (run->rcpts[i] == NULL)
			continue;
		gather_group(&g, i);
		if (run->smarthost.host != NULL)
			send_to_smarthost(&g);
		else
			send_to_domain(&g, domain_of(g.rcpts[0].address));
	}
out:
	free(g.rcpts);
	smtpd_client_destroy(g.client);
	return g.status;
}
