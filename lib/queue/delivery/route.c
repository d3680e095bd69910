/* SPDX-License-Identifier: MIT */
#include "queue/delivery/route.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/sized.h"
#include "client/result.h"
#include "grammar/reply_parse.h"
#include "queue/delivery/history.h"
#include "queue/delivery/route_sts.h"
#include "queue/delivery/security_rules.h"
#include "resolve/smarthost.h"
#include "resolve/targets.h"

/* Of smtpd__host_policy_name(), and what stands round refused hosts. */
#define HOST_POLICY_MAX 32

struct smtpd_router {
	/* The operator names the hosts of routes: these may be this one. */
	struct smtpd_resolver *resolver, *named;
	struct smtpd_security_rules rules;
	enum smtpd_security security; /* without a rule */
	bool tls_first;
	bool dane; /* TLSA records are looked up */
	uint16_t port;
	struct smtpd_sts *sts; /* NULL: no policies of domains */

	pthread_mutex_t lock;
	struct smtpd_trust *trust; /* guarded by it; NULL: the client's own */
	struct smtpd_route_table *table; /* likewise */
};

/* A host of a route may be another program on this very host. */
static int
create_resolvers(struct smtpd_router *r, const struct smtpd_queue_settings *set,
    struct smtpd_text *error)
{
	struct smtpd_resolver_settings s;

	if (smtpd__sized_copy(&s, sizeof(s), set->resolver) == -1) {
		smtpd__text_add(error,
		    "the size of the resolver's settings "
		    "is wrong");
		return -1;
	}
	r->resolver = smtpd_resolver_create(&s);
	s.self_is_good = true;
	s.refuse_private = false;
	if (r->resolver != NULL)
		r->named = smtpd_resolver_create(&s);
	if (r->named != NULL)
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
		r->dane = settings->policy != NULL && settings->policy->dane;
		if (settings->client != NULL) {
			r->security = settings->client->security;
			r->tls_first = settings->client->tls_first;
			if (settings->client->trust != NULL)
				r->trust =
				    smtpd_trust_ref(settings->client->trust);
		}
		if (smtpd__security_rules_copy(&r->rules, settings, &t) == 0)
			r->table = smtpd__route_table_create(settings->routes,
			    settings->nroutes, settings->smarthost, &t);
		if (r->table != NULL && create_resolvers(r, settings, &t) == 0)
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
	smtpd_resolver_destroy(r->named);
	smtpd_trust_unref(r->trust);
	smtpd__route_table_unref(r->table);
	pthread_mutex_destroy(&r->lock);
	smtpd__security_rules_free(&r->rules);
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

void
smtpd__route_set_sts(struct smtpd_router *r, struct smtpd_sts *sts)
{
	r->sts = sts;
}

int
smtpd__route_set_routes(struct smtpd_router *r,
    const struct smtpd_route *routes, size_t count, char *error, size_t size)
{
	struct smtpd_route_table *old = smtpd__route_table(r), *table;
	struct smtpd_text t;
	int code;

	smtpd__text_init(&t, error, size);
	table = smtpd__route_table_renew(old, routes, count, &t);
	code = errno;
	if (table != NULL) {
		pthread_mutex_lock(&r->lock);
		smtpd__route_table_unref(r->table);
		r->table = table;
		pthread_mutex_unlock(&r->lock);
	} else if (t.len == 0) {
		smtpd__text_add(&t, "out of memory");
	}
	smtpd__route_table_unref(old);
	errno = code;
	return table != NULL ? 0 : -1;
}

struct smtpd_route_table *
smtpd__route_table(struct smtpd_router *r)
{
	struct smtpd_route_table *table;

	pthread_mutex_lock(&r->lock);
	table = smtpd__route_table_ref(r->table);
	pthread_mutex_unlock(&r->lock);
	return table;
}

enum smtpd_dnssec
smtpd__route_dnssec(struct smtpd_router *r, const struct smtpd_cancel *cancel)
{
	return smtpd_resolver_dnssec(r->resolver, cancel);
}

bool
smtpd__route_is_current(
    struct smtpd_router *r, const struct smtpd_found_route *route)
{
	bool same;

	pthread_mutex_lock(&r->lock);
	same = route->table == r->table;
	for (size_t i = 0; i < route->nhops; i++)
		same = same && route->hops[i].policy.trust == r->trust;
	pthread_mutex_unlock(&r->lock);
	return same;
}

/* With a password TLS is required, whatever the rules say; a socket of this
 * host needs none. */
static void
choose_policy(struct smtpd_router *r, const char *domain,
    const struct smtpd_route_target *set, struct smtpd_tls_policy *policy)
{
	const struct smtpd_rule_copy *rule =
	    smtpd__security_rules_find(&r->rules, domain);

	*policy = (struct smtpd_tls_policy){
		.level = r->security,
		.first = set != NULL ? set->tls_first : r->tls_first,
		.reason = "the settings",
	};
	if (set != NULL && set->user != NULL) {
		policy->level = SMTPD_SECURITY_REQUIRED;
		policy->reason = "the smarthost's login";
	} else if (set != NULL && set->host[0] == '/') {
		policy->level = SMTPD_SECURITY_NONE;
		policy->reason = "a socket of this host";
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

/* Whether the operator names the host of T; else the DNS does. */
static bool
is_named(const struct smtpd_table_target *t)
{
	return t != NULL && t->set.kind != SMTPD_ROUTE_MX;
}

/* By all mail hosts, so that the choice of ten addresses among more does not
 * make other sites of one. */
static int
name_site(struct smtpd_found_route *route)
{
	const struct smtpd_route_entry *e = route->entry;
	size_t size = (e != NULL ? strlen(e->key) : 0) + 1;
	const char *last = SMTPD_TLS_POLICY_OPPORTUNISTIC;
	struct smtpd_text t;

	for (size_t i = 0; i < route->nhops; i++)
		size += SMTPD_TLS_POLICY_ID_SIZE + HOST_POLICY_MAX +
		    2 * strlen(route->hops[i].targets->hosts);
	route->site = malloc(size);
	if (route->site == NULL)
		return -1;
	smtpd__text_init(&t, route->site, size);
	smtpd__text_add(&t, e != NULL ? e->key : "");
	for (size_t i = 0; i < route->nhops; i++)
		if (!is_named(route->hops[i].target))
			smtpd__text_format(&t, "%s%s", e != NULL ? " " : "",
			    route->hops[i].targets->hosts);
	for (size_t i = 0; i < route->nhops; i++)
		smtpd__route_sts_name_refused(&route->hops[i], &t);
	for (size_t i = 0; i < route->nhops; i++) {
		const char *id = route->hops[i].policy.id;

		if (strcmp(id, last) != 0 &&
		    strcmp(id, SMTPD_TLS_POLICY_OPPORTUNISTIC) != 0)
			smtpd__text_format(&t, " %s", id);
		last = id;
	}
	for (size_t i = 0; i < route->nhops; i++)
		smtpd__host_policy_name(&route->hops[i].policies, &t);
	return 0;
}

/* Look up T, a target of a route, or the hosts of DOMAIN. */
static struct smtpd_targets *
look_up(struct smtpd_router *r, const struct smtpd_table_target *t,
    const char *domain, const struct smtpd_cancel *cancel)
{
	if (!is_named(t))
		return smtpd_resolve(r->resolver, domain, cancel);
	if (t->set.host[0] == '/')
		return smtpd__targets_socket(t->set.host);
	return smtpd__smarthost_find(r->named, t->name, cancel);
}

/* What was not found, as TARGETS say, must not bounce the mail if the operator
 * named it: only if it is all that there is, the hosts of the domain. */
static void
explain_failure(struct smtpd_found_route *route, const char *name,
    const struct smtpd_targets *targets)
{
	bool never = targets->outcome == SMTPD_RESOLVE_NEVER;

	if (name == NULL &&
	    (route->entry == NULL || route->entry->ntargets == 1))
		route->outcome = targets->outcome;
	route->unanswered = targets->unanswered;
	if (route->outcome == SMTPD_RESOLVE_NEVER)
		smtpd__result_set(&route->why, SMTPD_OUTCOME_PERMANENT,
		    SMTPD_PHASE_CONNECT, targets->status, "%s",
		    targets->reason);
	else if (name != NULL)
		smtpd__result_set(&route->why, SMTPD_OUTCOME_TEMPORARY,
		    SMTPD_PHASE_CONNECT, never ? "4.3.5" : targets->status,
		    "the smarthost %s cannot be found: %s", name,
		    targets->reason);
	else
		smtpd__result_set(&route->why, SMTPD_OUTCOME_TEMPORARY,
		    SMTPD_PHASE_CONNECT, never ? "4.3.5" : targets->status,
		    "%s", targets->reason);
}

/* Look up what the hosts of the last hop of ROUTE demand themselves, which has
 * its policy, by R; DOMAIN, unless it is NULL, has the MX that lead there. */
static int
add_policies(struct smtpd_resolver *r, const char *domain,
    const struct smtpd_cancel *cancel, struct smtpd_found_route *route,
    struct smtpd_text *history)
{
	struct smtpd_route_hop *hop = &route->hops[route->nhops - 1];
	const struct smtpd_host_policy_query q = {
		.resolver = r,
		.targets = hop->targets,
		.port = hop->port,
		.domain = domain,
		.base = &hop->policy,
		.cancel = cancel,
	};
	int status = smtpd__host_policy_find(&q, &hop->policies, history);

	if (hop->policies.ttl_s < route->ttl_s)
		route->ttl_s = hop->policies.ttl_s;
	return status;
}

/* Add the hop T, NULL: to the hosts of DOMAIN, if it is found.  Return -1
 * without memory. */
static int
add_hop(struct smtpd_router *r, const struct smtpd_table_target *t,
    const char *domain, const struct smtpd_cancel *cancel,
    struct smtpd_found_route *route, struct smtpd_text *history)
{
	const bool named = is_named(t);
	const char *name = named ? t->name : NULL;
	struct smtpd_route_hop *hop = &route->hops[route->nhops];
	struct smtpd_targets *targets = look_up(r, t, domain, cancel);

	if (targets == NULL)
		return -1;
	if (!named || t->name[0] != '\0')
		smtpd__history_add_targets(
		    history, targets, named, named ? name : domain);
	route->answered = route->answered || targets->answered;
	if (targets->outcome != SMTPD_RESOLVE_FOUND) {
		if (route->nhops == 0)
			explain_failure(route, name, targets);
		smtpd_targets_free(targets);
		return 0;
	}
	*hop = (struct smtpd_route_hop){
		.targets = targets,
		.port = named ? t->set.port : r->port,
		.id = t != NULL ? t->id : 0,
		.target = t,
	};
	choose_policy(r, domain, named ? &t->set : NULL, &hop->policy);
	if (route->nhops++ == 0 || targets->ttl_s < route->ttl_s)
		route->ttl_s = targets->ttl_s;
	if (r->dane &&
	    add_policies(named ? r->named : r->resolver, named ? NULL : domain,
		cancel, route, history) == -1)
		return -1;
	/* What a host demands by DANE goes before that (RFC 8461, 2). */
	if (!named && smtpd__security_rules_find(&r->rules, domain) == NULL)
		smtpd__route_sts_apply(r->sts, domain, cancel, hop, history);
	return 0;
}

/* The route is an error that the operator wants. */
static void
refuse_mail(struct smtpd_found_route *route, const char *text)
{
	struct smtpd_peer_reply reply;
	char line[SMTPD_REASON_SIZE + 8];
	int len = snprintf(
	    line, sizeof(line), "550 %.*s", SMTPD_REASON_SIZE - 1, text);

	smtpd__reply_parse_init(&reply);
	smtpd__reply_parse_line(&reply, line, (size_t)len);
	route->outcome = SMTPD_RESOLVE_NEVER;
	smtpd__result_set(&route->why, SMTPD_OUTCOME_PERMANENT,
	    SMTPD_PHASE_CONNECT,
	    reply.enhanced[0] != '\0' ? reply.enhanced : "5.0.0", "%s",
	    reply.text);
}

/* Look up the hops of ROUTE.  Return -1 without memory. */
static int
find_hops(struct smtpd_router *r, const char *domain,
    const struct smtpd_cancel *cancel, struct smtpd_found_route *route,
    struct smtpd_text *history)
{
	const struct smtpd_route_entry *e = route->entry;

	if (e == NULL)
		return add_hop(r, NULL, domain, cancel, route, history);
	if (e->text[0] != '\0')
		smtpd__history_add(history, "route %s: %s", e->text, e->key);
	if (e->targets[0].set.kind == SMTPD_ROUTE_ERROR) {
		refuse_mail(route, e->targets[0].set.text);
		return 0;
	}
	if (e->targets[0].set.kind == SMTPD_ROUTE_LOCAL) {
		route->outcome = SMTPD_RESOLVE_FOUND;
		route->ttl_s = UINT32_MAX;
		return 0;
	}
	for (size_t i = 0; i < e->ntargets; i++)
		if (add_hop(r, &e->targets[i], domain, cancel, route,
			history) == -1)
			return -1;
	return 0;
}

int
smtpd__route_find(struct smtpd_router *r, struct smtpd_route_table *table,
    const struct smtpd_route_entry *entry, const char *domain,
    const struct smtpd_cancel *cancel, struct smtpd_found_route *route,
    struct smtpd_text *history)
{
	*route = (struct smtpd_found_route){
		.outcome = SMTPD_RESOLVE_LATER,
		.table = smtpd__route_table_ref(table),
		.entry = entry,
	};
	smtpd__result_set(&route->why, SMTPD_OUTCOME_TEMPORARY,
	    SMTPD_PHASE_CONNECT, "4.3.0", "out of memory");
	if (find_hops(r, domain, cancel, route, history) == -1)
		return -1;
	if ((entry != NULL || route->nhops > 0) && name_site(route) == -1)
		return -1;
	if (route->nhops > 0) {
		route->outcome = SMTPD_RESOLVE_FOUND;
		route->unanswered = false;
	}
	return 0;
}

void
smtpd__route_finish(struct smtpd_found_route *route)
{
	for (size_t i = 0; i < route->nhops; i++) {
		smtpd__host_policy_free(&route->hops[i].policies);
		smtpd_targets_free(route->hops[i].targets);
		smtpd__sts_release(&route->hops[i].sts);
		smtpd_trust_unref(route->hops[i].policy.trust);
	}
	route->nhops = 0;
	smtpd__route_table_unref(route->table);
	route->table = NULL;
	free(route->site);
	route->site = NULL;
}
