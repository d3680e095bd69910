/* SPDX-License-Identifier: MIT */
#include "queue/control/stats.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "queue/control/tls_stats.h"

/* A part of an answer ends after so many octets; so many sites are asked for
 * at a time. */
#define PART_OCTETS 262144
#define SITES_MAX   16

/* What is written about sites. */
struct page {
	struct smtpd_control_output *answer;
	struct smtpd_spool *spool;
	uint32_t now;
	struct smtpd_control_site sites[SITES_MAX];
};

static void
add_counters(struct smtpd_control_request *r)
{
	struct smtpd_queue_counters c = { SMTPD_QUEUE_COUNTERS_INIT };

	r->hooks->count(r->hooks->user, &c);
	smtpd__control_output_format(r->answer,
	    r->json ? "{\"messages\":%" PRIu64 ",\"attempts\":%" PRIu64
		      ",\"sent\":%" PRIu64 ",\"failed\":%" PRIu64
		      ",\"reports\":%" PRIu64 ",\"dead\":%" PRIu64 "}\n"
		    : "messages=%" PRIu64 " attempts=%" PRIu64 " sent=%" PRIu64
		      " failed=%" PRIu64 " reports=%" PRIu64 " dead=%" PRIu64
		      "\n",
	    c.messages, c.attempts, c.sent, c.failed, c.reports, c.dead);
}

static void
add_tls(struct smtpd_control_request *r)
{
	char *text = r->hooks->tls(r->hooks->user);

	if (text != NULL)
		smtpd__tls_stats_add(r->answer, text, r->json);
	free(text);
}

/* Messages or connections in a second, if there is one in US microseconds. */
static double
rate_of(uint64_t us)
{
	return 1e6 / (double)us;
}

static void
add_rate(struct page *p, const char *what, uint64_t us, const char *how)
{
	if (us > 0)
		smtpd__control_output_format(
		    p->answer, ", %.3g %s/s %s", rate_of(us), what, how);
}

static void
add_count(struct page *p, const char *what, uint32_t n, const char *how)
{
	if (n > 0)
		smtpd__control_output_format(
		    p->answer, ", %u %s %s", (unsigned)n, what, how);
}

static void
add_wait(struct page *p, const char *word, uint32_t until)
{
	if (until <= p->now)
		return;
	smtpd__control_output_format(p->answer, ", %s for ", word);
	smtpd__control_output_span(p->answer, until - p->now);
}

static void
add_text_site(struct page *p, const struct smtpd_control_site *site)
{
	const struct smtpd_shaping_info *i = &site->shaping;

	smtpd__control_output_shown(p->answer, site->name, strlen(site->name));
	smtpd__control_output_format(p->answer, ": %u of %u connections",
	    (unsigned)site->connections, (unsigned)site->limit);
	add_rate(p, "messages", i->limits.message_us, "given");
	add_rate(p, "messages", i->learned_us, "learned");
	add_rate(p, "connections", i->limits.connection_us, "given");
	add_count(p, "messages a connection", i->limits.mails, "given");
	add_count(p, "messages a connection", i->full_at, "learned");
	add_count(p, "messages a connection", i->mails_max, "announced");
	add_count(p, "recipients a message", i->limits.rcpts, "given");
	add_count(p, "recipients a message", i->rcpts_max, "announced");
	add_wait(p, "throttled", i->probe_at);
	add_wait(p, "suspended", site->resumes_at);
	if (site->resumes_at > p->now && site->why[0] != '\0') {
		smtpd__control_output_add(p->answer, ": ");
		smtpd__control_output_shown(
		    p->answer, site->why, strlen(site->why));
	}
	smtpd__control_output_add(p->answer, "\n");
}

static void
add_json_rate(struct page *p, const char *name, uint64_t us)
{
	if (us == 0)
		smtpd__control_output_format(p->answer, ",\"%s\":null", name);
	else
		smtpd__control_output_format(
		    p->answer, ",\"%s\":%.6g", name, rate_of(us));
}

static void
add_json_count(struct page *p, const char *name, uint32_t n)
{
	if (n == 0)
		smtpd__control_output_format(p->answer, ",\"%s\":null", name);
	else
		smtpd__control_output_format(
		    p->answer, ",\"%s\":%u", name, (unsigned)n);
}

static void
add_json_time(struct page *p, const char *name, uint32_t until)
{
	smtpd__control_output_format(p->answer, ",\"%s\":", name);
	if (until <= p->now) {
		smtpd__control_output_add(p->answer, "null");
		return;
	}
	smtpd__control_output_add(p->answer, "\"");
	smtpd__control_output_time(
	    p->answer, smtpd__spool_clock_wall_ms(p->spool, until));
	smtpd__control_output_add(p->answer, "\"");
}

static void
add_json_site(struct page *p, const struct smtpd_control_site *site)
{
	const struct smtpd_shaping_info *i = &site->shaping;

	smtpd__control_output_add(p->answer, "{\"site\":");
	smtpd__control_output_json(p->answer, site->name);
	smtpd__control_output_format(p->answer,
	    ",\"connections\":%u,\"limit\":%u,\"failures\":%u",
	    (unsigned)site->connections, (unsigned)site->limit,
	    (unsigned)site->failures);
	add_json_rate(p, "rate", i->limits.message_us);
	add_json_rate(p, "learned_rate", i->learned_us);
	add_json_rate(p, "connection_rate", i->limits.connection_us);
	add_json_count(p, "connection_messages", i->limits.mails);
	add_json_count(p, "learned_connection_messages", i->full_at);
	add_json_count(p, "announced_connection_messages", i->mails_max);
	add_json_count(p, "recipients", i->limits.rcpts);
	add_json_count(p, "announced_recipients", i->rcpts_max);
	add_json_time(p, "throttled_until", i->probe_at);
	add_json_time(p, "suspended_until", site->resumes_at);
	smtpd__control_output_add(p->answer, ",\"reason\":");
	smtpd__control_output_json(
	    p->answer, site->why[0] != '\0' ? site->why : NULL);
	smtpd__control_output_add(p->answer, "}\n");
}

int
smtpd__control_stats_show(struct smtpd_control_request *r)
{
	uint32_t place = 0;
	struct page *p;

	if (r->hooks->sites == NULL)
		return smtpd__control_request_fail(r, ENOENT,
		    "no process has the queue open, so nothing is known", "");
	if (r->from == NULL) {
		add_counters(r);
		add_tls(r);
	} else {
		place = (uint32_t)strtoul(r->from + 1, NULL, 10);
	}
	p = calloc(1, sizeof(*p));
	if (p == NULL)
		return smtpd__control_request_fail(r, ENOMEM, NULL, "");
	p->answer = r->answer;
	p->spool = r->spool;
	p->now = smtpd__spool_clock_now(r->spool);
	while (place != UINT32_MAX && r->answer->total < PART_OCTETS) {
		size_t n = r->hooks->sites(
		    r->hooks->user, &place, p->sites, SITES_MAX);

		for (size_t i = 0; i < n; i++) {
			if (r->json)
				add_json_site(p, &p->sites[i]);
			else
				add_text_site(p, &p->sites[i]);
		}
	}
	free(p);
	if (place != UINT32_MAX)
		snprintf(r->call->end, r->call->size, "@%" PRIu32, place);
	return 0;
}
