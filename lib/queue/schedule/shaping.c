/* SPDX-License-Identifier: MIT */
#include "queue/schedule/shaping.h"

#include <stdlib.h>

#include "queue/schedule/retry.h"
#include "queue/schedule/state.h"
#include "queue/schedule/turn.h"

/* How long a site is believed to close its connections after so many
 * messages. */
#define FULL_S 3600

/* Without memory there are no limits, and nothing is learned. */
static struct smtpd_shaping *
get_shaping(struct smtpd_site *site)
{
	if (site->shaping != NULL)
		return site->shaping;
	site->shaping = calloc(1, sizeof(*site->shaping));
	if (site->shaping != NULL)
		site->shaping->site = site;
	return site->shaping;
}

/* The stricter one counts. */
static void
set_interval(struct smtpd_shaping *sh)
{
	uint64_t learned = smtpd__learned_rate_interval(&sh->rate);

	sh->messages.interval_us =
	    sh->limits.message_us > learned ? sh->limits.message_us : learned;
}

static void
forget_old(struct smtpd_shaping *sh, uint32_t now)
{
	uint32_t end = smtpd__learned_rate_end(&sh->rate);

	if (end != 0 && end <= now) {
		sh->rate = (struct smtpd_learned_rate){ 0 };
		set_interval(sh);
	}
	if (sh->full_until <= now)
		sh->full_at = sh->full_until = 0;
}

static uint32_t
later_of(uint32_t a, uint32_t b)
{
	return a > b ? a : b;
}

static uint32_t
earlier_of(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

/* When the site is to be looked at again; a time gone by: never. */
static uint32_t
next_look(const struct smtpd_shaping *sh, uint32_t message, uint32_t connection)
{
	uint32_t end;

	if (sh->held && sh->closed)
		return earlier_of(message, connection);
	if (sh->held || sh->closed)
		return sh->held ? message : connection;
	end = later_of(smtpd__spacing_end(&sh->messages),
	    smtpd__spacing_end(&sh->connections));
	end = later_of(end, smtpd__learned_rate_end(&sh->rate));
	return later_of(end, sh->full_until);
}

void
smtpd__shaping_refresh(
    struct smtpd_schedule *s, struct smtpd_site *site, uint32_t now)
{
	struct smtpd_shaping *sh = site->shaping;
	uint32_t message, connection, when;

	if (sh == NULL)
		return;
	forget_old(sh, now);
	/* A message may need a new connection. */
	message = later_of(smtpd__spacing_ready(&sh->messages, now),
	    smtpd__spacing_repaid(&sh->connections, now));
	connection = smtpd__spacing_ready(&sh->connections, now);
	sh->held = message > now;
	sh->closed = connection > now;
	if (smtpd__spacing_ready(&sh->messages, now) > now)
		sh->rate.holds = true;
	if (sh->looking.when != 0)
		smtpd__heap_remove(&s->shaped, &sh->looking);
	sh->looking.when = 0;
	when = next_look(sh, message, connection);
	if (when > now)
		smtpd__heap_push(&s->shaped, &sh->looking, when);
	smtpd__turn_place(s, site);
}

uint32_t
smtpd__shaping_connections(
    const struct smtpd_schedule *s, const struct smtpd_site *site)
{
	uint32_t given =
	    site->shaping != NULL ? site->shaping->limits.connections : 0;

	if (given == 0)
		return s->site_limit;
	return earlier_of(given, s->settings.workers);
}

void
smtpd__shaping_limit(struct smtpd_schedule *s, struct smtpd_site *site,
    const struct smtpd_shaping_limits *limits, uint32_t now)
{
	struct smtpd_shaping *sh = site->shaping;

	if (sh != NULL && sh->limited)
		return;
	sh = get_shaping(site);
	if (sh == NULL)
		return;
	sh->limits = *limits;
	sh->limited = true;
	sh->connections.interval_us = limits->connection_us;
	site->limit =
	    earlier_of(site->limit, smtpd__shaping_connections(s, site));
	set_interval(sh);
	smtpd__spacing_use(&sh->messages, now, 1);
	smtpd__spacing_use(&sh->connections, now, 1);
	smtpd__shaping_refresh(s, site, now);
}

void
smtpd__shaping_use_message(
    struct smtpd_schedule *s, struct smtpd_site *site, uint32_t now)
{
	if (site->shaping == NULL || site->shaping->messages.interval_us == 0)
		return;
	smtpd__spacing_use(&site->shaping->messages, now, 1);
	smtpd__shaping_refresh(s, site, now);
}

void
smtpd__shaping_use_connection(
    struct smtpd_schedule *s, struct smtpd_site *site, uint32_t now)
{
	if (site->shaping == NULL ||
	    site->shaping->connections.interval_us == 0)
		return;
	smtpd__spacing_use(&site->shaping->connections, now, 1);
	smtpd__shaping_refresh(s, site, now);
}

/* A message was taken, or a sign came that they come too fast: the next one is
 * no sooner than that says. */
static void
learn_rate(struct smtpd_shaping *sh, const struct smtpd_shaping_signs *signs,
    uint32_t now, uint32_t pause_max)
{
	bool paused = sh->rate.pause_s > 0;
	uint64_t probe_us;
	bool changed = signs->throttle != SMTPD_THROTTLE_NONE
	    ? smtpd__learned_rate_sign(
		  &sh->rate, signs->throttle, now, pause_max)
	    : signs->accepted && smtpd__learned_rate_accept(&sh->rate, now);

	if (!changed)
		return;
	set_interval(sh);
	probe_us = sh->rate.probe_at * SMTPD_SPACING_SECOND_US;
	if (sh->rate.pause_s == 0 && paused)
		sh->messages.next_us =
		    now * SMTPD_SPACING_SECOND_US + sh->messages.interval_us;
	else if (sh->rate.pause_s > 0 && sh->messages.next_us < probe_us)
		sh->messages.next_us = probe_us;
}

/* A connection was closed after COUNT transactions.  Once is chance: the host
 * may have been stopped. */
static void
learn_full(struct smtpd_shaping *sh, uint32_t count, uint32_t now)
{
	if (count == sh->full_seen) {
		sh->full_at = count;
		sh->full_until = smtpd__retry_after(now, FULL_S);
	}
	sh->full_seen = count;
}

void
smtpd__shaping_learn(struct smtpd_schedule *s, struct smtpd_site *site,
    const struct smtpd_shaping_signs *signs, uint32_t now)
{
	struct smtpd_shaping *sh = get_shaping(site);

	if (sh == NULL)
		return;
	if (signs->mails > 1)
		smtpd__spacing_use(&sh->messages, now, signs->mails - 1);
	smtpd__spacing_use(&sh->connections, now, signs->connections);
	learn_rate(sh, signs, now, s->settings.retry.min);
	if (signs->full_at > 0)
		learn_full(sh, signs->full_at, now);
	if (signs->mails_max > 0)
		sh->mails_max = signs->mails_max;
	if (signs->rcpts_max > 0)
		sh->rcpts_max = signs->rcpts_max;
	smtpd__shaping_refresh(s, site, now);
}

bool
smtpd__shaping_remembers(const struct smtpd_site *site)
{
	return site->shaping != NULL && site->shaping->looking.when != 0;
}

void
smtpd__shaping_finish(struct smtpd_schedule *s, struct smtpd_site *site)
{
	if (smtpd__shaping_remembers(site))
		smtpd__heap_remove(&s->shaped, &site->shaping->looking);
	free(site->shaping);
	site->shaping = NULL;
}

void
smtpd__shaping_describe(
    const struct smtpd_site *site, struct smtpd_shaping_info *out)
{
	const struct smtpd_shaping *sh = site->shaping;

	*out = (struct smtpd_shaping_info){ 0 };
	if (sh == NULL)
		return;
	out->limits = sh->limits;
	out->learned_us = sh->rate.interval_us;
	out->probe_at = sh->rate.pause_s > 0 ? sh->rate.probe_at : 0;
	out->full_at = sh->full_at;
	out->mails_max = sh->mails_max;
	out->rcpts_max = sh->rcpts_max;
}
