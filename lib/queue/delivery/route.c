/* SPDX-License-Identifier: MIT */
#include "queue/delivery/route.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/sized.h"
#include "client/result.h"
#include "net/socket.h"
#include "queue/delivery/history.h"
#include "resolve/hostname.h"
#include "resolve/smarthost.h"

#define ADDRESS_TEXT_MAX 64

struct rule {
	char *domain; /* as its names are compared */
	enum smtpd_security security;
	char **names; /* that the certificate must bear */
	size_t nnames;
};

struct smtpd_router {
	struct smtpd_resolver *resolver;
	struct rule *rules;
	size_t nrules;
	enum smtpd_security security; /* without a rule */
	bool tls_first;
	uint16_t port;

	pthread_mutex_t lock;
	struct smtpd_trust *trust; /* guarded by it; NULL: the client's own */

	/* The smarthost, if its host is not NULL: with texts of its own. */
	struct smtpd_smarthost smarthost;
	char *host, *user, *password;
	char name[SMTPD_DNS_HOST_MAX]; /* to be looked up */
};

/* Write DOMAIN so that two spellings of it are the same; whether it fits. */
static bool
normalise_domain(const char *domain, char *out)
{
	if (*domain != '[')
		return smtpd__hostname_normalise(domain, out) == 0;
	return smtpd_ascii_lower(domain, out, SMTPD_DNS_HOST_MAX) >= 0;
}

static int
copy_text(const char *text, char **out)
{
	if (text == NULL)
		return 0;
	*out = strdup(text);
	return *out == NULL ? -1 : 0;
}

static int
copy_rules(struct smtpd_router *r, const struct smtpd_queue_settings *set,
    struct smtpd_text *error)
{
	char domain[SMTPD_DNS_HOST_MAX];

	if (set->nrules == 0)
		return 0;
	r->rules = calloc(set->nrules, sizeof(*r->rules));
	if (r->rules == NULL)
		return -1;
	while (r->nrules < set->nrules) {
		const struct smtpd_security_rule *rule = &set->rules[r->nrules];
		struct rule *to = &r->rules[r->nrules++];

		if (!normalise_domain(rule->domain, domain)) {
			smtpd__text_format(error,
			    "%s, which has a rule, is not the name of a domain",
			    rule->domain);
			return -1;
		}
		to->security = rule->security;
		to->names = calloc(rule->nnames + 1, sizeof(*to->names));
		if (to->names == NULL || copy_text(domain, &to->domain) == -1)
			return -1;
		for (size_t i = 0; i < rule->nnames; i++, to->nnames++)
			if (copy_text(rule->names[i], &to->names[i]) == -1)
				return -1;
	}
	return 0;
}

static int
copy_smarthost(struct smtpd_router *r, const struct smtpd_smarthost *smarthost,
    struct smtpd_text *error)
{
	if (smarthost == NULL)
		return 0;
	if (smarthost->host == NULL ||
	    smtpd__smarthost_normalise(smarthost->host, r->name) != 0) {
		smtpd__text_format(error,
		    "%s, the smarthost, is neither the name of a "
		    "host nor an address",
		    smarthost->host != NULL ? smarthost->host : "(none)");
		return -1;
	}
	if (copy_text(smarthost->host, &r->host) != 0 ||
	    copy_text(smarthost->user, &r->user) != 0 ||
	    copy_text(smarthost->password, &r->password) != 0)
		return -1;
	r->smarthost = *smarthost;
	r->smarthost.host = r->host;
	r->smarthost.user = r->user;
	r->smarthost.password = r->password;
	r->tls_first = smarthost->tls_first;
	r->port = smarthost->port;
	if (r->port == 0)
		r->port = smarthost->tls_first ? 465 : 25;
	return 0;
}

/* A smarthost may be another program on this very host. */
static int
create_resolver(struct smtpd_router *r, const struct smtpd_queue_settings *set,
    struct smtpd_text *error)
{
	struct smtpd_resolver_settings s;

	if (smtpd__sized_copy(&s, sizeof(s), set->resolver) == -1) {
		smtpd__text_add(error,
		    "the size of the resolver's settings "
		    "is wrong");
		return -1;
	}
	/* What the operator names is good. */
	if (set->smarthost != NULL) {
		s.self_is_good = true;
		s.refuse_private = false;
	}
	r->resolver = smtpd_resolver_create(&s);
	if (r->resolver != NULL)
		return 0;
	if (errno == EINVAL)
		smtpd__text_add(
		    error, "there are no DNS servers, or none that are valid");
	return -1;
}

struct smtpd_router *
smtpd__route_router_create(
    const struct smtpd_queue_settings *settings, char *error, size_t size)
{
	struct smtpd_router *r = calloc(1, sizeof(*r));
	struct smtpd_text t;

	smtpd__text_init(&t, error, size);
	if (r != NULL) {
		pthread_mutex_init(&r->lock, NULL);
		r->port = settings->port != 0 ? settings->port : 25;
		if (settings->client != NULL) {
			r->security = settings->client->security;
			r->tls_first = settings->client->tls_first;
			if (settings->client->trust != NULL)
				r->trust =
				    smtpd_trust_ref(settings->client->trust);
		}
		if (copy_rules(r, settings, &t) == 0 &&
		    copy_smarthost(r, settings->smarthost, &t) == 0 &&
		    create_resolver(r, settings, &t) == 0)
			return r;
	}
	if (t.len == 0)
		smtpd__text_add(&t, "out of memory");
	smtpd__route_router_destroy(r);
	return NULL;
}

void
smtpd__route_router_destroy(struct smtpd_router *r)
{
	if (r == NULL)
		return;
	smtpd_resolver_destroy(r->resolver);
	smtpd_trust_unref(r->trust);
	pthread_mutex_destroy(&r->lock);
	for (size_t i = 0; i < r->nrules; i++) {
		for (size_t k = 0; k < r->rules[i].nnames; k++)
			free(r->rules[i].names[k]);
		free(r->rules[i].names);
		free(r->rules[i].domain);
	}
	free(r->rules);
	free(r->host);
	free(r->user);
	free(r->password);
	free(r);
}

void
smtpd__route_set_trust(struct smtpd_router *r, struct smtpd_trust *trust)
{
	struct smtpd_trust *old;

	smtpd_trust_ref(trust);
	pthread_mutex_lock(&r->lock);
	old = r->trust;
	r->trust = trust;
	pthread_mutex_unlock(&r->lock);
	smtpd_trust_unref(old);
}

bool
smtpd__route_is_current(struct smtpd_router *r, const struct smtpd_route *route)
{
	bool same;

	pthread_mutex_lock(&r->lock);
	same = route->policy.trust == r->trust;
	pthread_mutex_unlock(&r->lock);
	return same;
}

/* With a password TLS is required, whatever the rules say. */
static void
choose_policy(
    struct smtpd_router *r, const char *domain, struct smtpd_tls_policy *policy)
{
	char name[SMTPD_DNS_HOST_MAX];
	const struct rule *rule = NULL;

	*policy = (struct smtpd_tls_policy){
		.level = r->security,
		.first = r->tls_first,
		.reason = "the settings",
	};
	if (r->nrules > 0 && normalise_domain(domain, name))
		for (size_t i = 0; i < r->nrules && rule == NULL; i++)
			if (strcmp(r->rules[i].domain, name) == 0)
				rule = &r->rules[i];
	if (r->user != NULL) {
		policy->level = SMTPD_SECURITY_REQUIRED;
		policy->reason = "the smarthost's password";
	} else if (rule != NULL) {
		policy->level = rule->security;
		policy->names = (const char *const *)rule->names;
		policy->nnames = rule->nnames;
		policy->reason = "the rule for the domain";
	}
	smtpd__tls_policy_identify(policy);
	pthread_mutex_lock(&r->lock);
	if (r->trust != NULL)
		policy->trust = smtpd_trust_ref(r->trust);
	pthread_mutex_unlock(&r->lock);
}

/* By all mail hosts, so that the choice of ten addresses among more does not
 * make other sites of one. */
static int
name_site(struct smtpd_route *route)
{
	const char *hosts =
	    route->smarthost != NULL ? "smarthost" : route->targets->hosts;
	size_t size = strlen(hosts) + sizeof(" ") + SMTPD_TLS_POLICY_ID_SIZE;
	struct smtpd_text t;

	route->site = malloc(size);
	if (route->site == NULL)
		return -1;
	smtpd__text_init(&t, route->site, size);
	smtpd__text_add(&t, hosts);
	if (strcmp(route->policy.id, SMTPD_TLS_POLICY_OPPORTUNISTIC) != 0)
		smtpd__text_format(&t, " %s", route->policy.id);
	return 0;
}

static void
report_targets(const struct smtpd_targets *targets, bool smart,
    const char *name, struct smtpd_text *history)
{
	bool found = targets->outcome == SMTPD_RESOLVE_FOUND;
	const char *last = "";
	char line[1024];
	struct smtpd_text t;

	smtpd__text_init(&t, line, sizeof(line));
	if (!found)
		smtpd__text_format(
		    &t, " %s %s", targets->status, targets->reason);
	else if (!smart && *name != '[')
		smtpd__text_add(&t, targets->mx ? " MX" : " no MX,");
	for (size_t i = 0; found && i < targets->count; i++) {
		const struct smtpd_target *to = smtpd_targets_get(targets, i);
		const struct smtpd_sockaddr a = { to->addr, to->len };
		char address[ADDRESS_TEXT_MAX];

		if (strcmp(to->host, last) != 0 && targets->mx)
			smtpd__text_format(
			    &t, " %s %u", to->host, (unsigned)to->preference);
		smtpd__socket_host(&a, address, sizeof(address));
		smtpd__text_format(&t, " [%s]", address);
		last = to->host;
	}
	smtpd__history_add(
	    history, "%s %s:%s", smart ? "smarthost" : "dns", name, line);
}

/* A smarthost that cannot be found must not bounce the mail. */
static void
explain_failure(const struct smtpd_router *r, struct smtpd_route *route)
{
	const struct smtpd_targets *targets = route->targets;
	bool never = targets->outcome == SMTPD_RESOLVE_NEVER;

	route->outcome = targets->outcome;
	if (route->smarthost != NULL) {
		route->outcome = SMTPD_RESOLVE_LATER;
		smtpd__result_set(&route->why, SMTPD_OUTCOME_TEMPORARY,
		    SMTPD_PHASE_CONNECT, never ? "4.3.5" : targets->status,
		    "the smarthost %s cannot be found: %s", r->name,
		    targets->reason);
		return;
	}
	smtpd__result_set(&route->why,
	    never ? SMTPD_OUTCOME_PERMANENT : SMTPD_OUTCOME_TEMPORARY,
	    SMTPD_PHASE_CONNECT, targets->status, "%s", targets->reason);
}

int
smtpd__route_find(struct smtpd_router *r, const char *domain,
    const struct smtpd_cancel *cancel, struct smtpd_route *route,
    struct smtpd_text *history)
{
	bool smart = r->host != NULL;

	*route = (struct smtpd_route){
		.port = r->port,
		.smarthost = smart ? &r->smarthost : NULL,
		.targets = smart
		    ? smtpd__smarthost_find(r->resolver, r->name, cancel)
		    : smtpd_resolve(r->resolver, domain, cancel),
	};
	route->outcome = SMTPD_RESOLVE_LATER;
	smtpd__result_set(&route->why, SMTPD_OUTCOME_TEMPORARY,
	    SMTPD_PHASE_CONNECT, "4.3.0", "out of memory");
	choose_policy(r, domain, &route->policy);
	if (route->targets == NULL)
		return -1;
	report_targets(
	    route->targets, smart, smart ? r->name : domain, history);
	if ((smart || route->targets->outcome == SMTPD_RESOLVE_FOUND) &&
	    name_site(route) == -1)
		return -1;
	if (route->targets->outcome != SMTPD_RESOLVE_FOUND) {
		explain_failure(r, route);
		return 0;
	}
	route->outcome = SMTPD_RESOLVE_FOUND;
	return 0;
}

void
smtpd__route_finish(struct smtpd_route *route)
{
	smtpd_targets_free(route->targets);
	smtpd_trust_unref(route->policy.trust);
	free(route->site);
	route->policy.trust = NULL;
	route->targets = NULL;
	route->site = NULL;
}
