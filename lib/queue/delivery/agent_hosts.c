/* SPDX-License-Identifier: MIT */
#include "queue/delivery/agent_hosts.h"

#include <stdlib.h>
#include <string.h>

#include "os/clock.h"

/* How many of the COUNT addresses at TARGETS are those of the first host. */
static size_t
count_same(const struct smtpd_target *targets, size_t count)
{
	size_t n = 1;

	while (n < count && strcmp(targets[n].host, targets[0].host) == 0)
		n++;
	return n;
}

/* Copy the addresses of one host to TO, those that are not down first. */
static struct smtpd_agent_host
copy_host(const struct smtpd_agent_attempt *t, const struct smtpd_target *from,
    size_t count, struct smtpd_target *to)
{
	struct smtpd_agent_host host = { .targets = to, .count = count };
	uint64_t now = smtpd__clock_ms();
	size_t up = 0;

	for (size_t i = 0; i < count; i++) {
		bool down = smtpd__hoststat_is_down(
		    t->agent->set->hosts, &from[i], now);
		size_t place = down ? i : up++;

		memmove(to + place + 1, to + place, (i - place) * sizeof(*to));
		to[place] = from[i];
	}
	host.down = up == 0;
	return host;
}

int
smtpd__agent_hosts_order(struct smtpd_agent_attempt *t)
{
	const struct smtpd_targets *from = t->request->route->targets;
	struct smtpd_agent_host *all = calloc(from->count, sizeof(*all));
	size_t nall = 0;
	int status = -1;

	t->targets = calloc(from->count, sizeof(*t->targets));
	t->hosts = calloc(from->count, sizeof(*t->hosts));
	if (all == NULL || t->targets == NULL || t->hosts == NULL)
		goto out;
	for (size_t at = 0; at < from->count; at += all[nall++].count)
		all[nall] = copy_host(t, smtpd_targets_get(from, at),
		    count_same(smtpd_targets_get(from, at), from->count - at),
		    t->targets + at);
	for (int down = 0; down <= 1; down++)
		for (size_t i = 0; i < nall; i++)
			if (all[i].down == down)
				t->hosts[t->nhosts++] = all[i];
	status = 0;
out:
	free(all);
	return status;
}
