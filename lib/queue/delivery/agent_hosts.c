/* SPDX-License-Identifier: MIT */
#include "queue/delivery/agent_hosts.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "os/clock.h"

/* Messages of a connection, before others have their turn. */
#define REQUESTS_TURN 5

/* Have the COUNT addresses at TARGETS take turns, but each family stay where it
 * is. */
static void
rotate_addresses(
    struct smtpd_hoststat *hosts, struct smtpd_target *targets, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct smtpd_target kept = targets[i];
		size_t best = i;

		for (size_t k = i + 1; k < count; k++)
			if (targets[k].addr.ss_family == kept.addr.ss_family &&
			    smtpd__hoststat_last_used(hosts, &targets[k]) <
				smtpd__hoststat_last_used(
				    hosts, &targets[best]))
				best = k;
		targets[i] = targets[best];
		targets[best] = kept;
	}
}

/* The hosts of a route may be programs on other ports of one address. */
static void
set_port(struct smtpd_target *target, uint16_t port)
{
	struct sockaddr_in *in = (struct sockaddr_in *)&target->addr;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&target->addr;

	if (target->addr.ss_family == AF_INET)
		in->sin_port = htons(port);
	else if (target->addr.ss_family == AF_INET6)
		in6->sin6_port = htons(port);
}

/* Copy the addresses of the host of HOP that begins with number FIRST to TO,
 * those that are not down first. */
static struct smtpd_agent_host
copy_host(struct smtpd_hoststat *hosts, const struct smtpd_route_hop *hop,
    size_t first, struct smtpd_target *to)
{
	const struct smtpd_target *from =
	    smtpd_targets_get(hop->targets, first);
	const size_t count = hop->targets->count - first;
	struct smtpd_agent_host host = { .hop = hop, .targets = to };
	uint64_t now = smtpd__clock_ms();
	size_t up = 0, i;

	for (i = 0; i < count && strcmp(from[i].host, from[0].host) == 0; i++) {
		struct smtpd_target target = from[i];
		uint64_t used;
		size_t place;

		set_port(&target, hop->port);
		used = smtpd__hoststat_last_used(hosts, &target);
		place = smtpd__hoststat_is(hosts, &target, SMTPD_HOST_DOWN, now)
		    ? i
		    : up++;
		memmove(to + place + 1, to + place, (i - place) * sizeof(*to));
		to[place] = target;
		if (used > host.used)
			host.used = used;
	}
	rotate_addresses(hosts, to, up);
	host.count = i;
	host.down = up == 0;
	return host;
}

/* Add HOST to those of T, before equal ones that were used later. */
static void
add_host(struct smtpd_agent_attempt *t, struct smtpd_agent_host host)
{
	size_t place = t->nhosts++;

	for (; place > 0; place--) {
		const struct smtpd_agent_host *before = &t->hosts[place - 1];

		if (before->hop != host.hop || before->down != host.down ||
		    before->used <= host.used ||
		    before->targets->preference != host.targets->preference)
			break;
		t->hosts[place] = *before;
	}
	t->hosts[place] = host;
}

int
smtpd__agent_hosts_order(struct smtpd_agent_attempt *t)
{
	const struct smtpd_found_route *route = t->request->route;
	struct smtpd_agent_host *all;
	size_t nall = 0, count = 0, done = 0;
	int status = -1;

	for (size_t i = 0; i < route->nhops; i++)
		count += route->hops[i].targets->count;
	all = calloc(count, sizeof(*all));
	t->targets = calloc(count, sizeof(*t->targets));
	t->hosts = calloc(count, sizeof(*t->hosts));
	if (all == NULL || t->targets == NULL || t->hosts == NULL)
		goto out;
	for (size_t i = 0; i < route->nhops; i++) {
		const struct smtpd_route_hop *hop = &route->hops[i];

		for (size_t at = 0; at < hop->targets->count;
		    at += all[nall++].count)
			all[nall] = copy_host(t->agent->set->hosts, hop, at,
			    t->targets + done + at);
		done += hop->targets->count;
	}
	for (int down = 0; down <= 1; down++)
		for (size_t i = 0; i < nall; i++)
			if (all[i].down == down)
				add_host(t, all[i]);
	status = 0;
out:
	free(all);
	return status;
}

/* Whether an address that is as good as PEER, which is one of HOST's, was not
 * used since use number OPENING. */
static bool
address_waits(struct smtpd_hoststat *hosts, const struct smtpd_agent_host *host,
    const struct smtpd_target *peer, uint64_t opening)
{
	for (size_t i = 0; i < host->count; i++)
		if (host->targets[i].addr.ss_family == peer->addr.ss_family &&
		    smtpd__hoststat_last_used(hosts, &host->targets[i]) <
			opening &&
		    !smtpd__hoststat_is(hosts, &host->targets[i],
			SMTPD_HOST_DOWN, smtpd__clock_ms()))
			return true;
	return false;
}

bool
smtpd__agent_hosts_others_wait(const struct smtpd_agent_attempt *t)
{
	const struct smtpd_agent *a = t->agent;

	if (a->requests < REQUESTS_TURN || a->peer.len == 0)
		return false;
	for (size_t i = 0; i < t->nhosts; i++) {
		const struct smtpd_agent_host *host = &t->hosts[i];
		bool own = strcmp(host->targets->host, a->relay.host) == 0;

		if (host->down || host->hop->id != a->hop_id ||
		    host->targets->preference != a->peer.preference)
			continue;
		if (own ? address_waits(
			      a->set->hosts, host, &a->peer, a->opening)
			: host->used < a->opening)
			return true;
	}
	return false;
}
