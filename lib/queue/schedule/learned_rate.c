/* SPDX-License-Identifier: MIT */
#include "queue/schedule/learned_rate.h"

#include "queue/schedule/retry.h"
#include "queue/schedule/spacing.h"

/* A run of so many messages makes so many likely signs in a row a sure one. */
#define EVIDENCE   5
#define LIKELY_MIN 2

/* A silence of so many seconds, and two intervals, ends a run. */
#define SILENCE_S 2

/* What is older counts half. */
#define RUN_S 60

#define RAISE_AFTER 30
#define RAISED_MAX  10

/* A rate of so many microseconds between two is none. */
#define INTERVAL_MIN_US UINT64_C(1000)

#define FORGET_S 3600

static bool
is_running(const struct smtpd_learned_rate *l, uint32_t now)
{
	uint64_t silence =
	    SILENCE_S + 2 * l->interval_us / SMTPD_SPACING_SECOND_US;

	return l->accepted > 0 && now - l->last <= silence;
}

static void
begin_run(struct smtpd_learned_rate *l, uint32_t now)
{
	l->began = l->last = now;
	l->accepted = 0;
}

/* The run ends at NOW, when the site takes messages again. */
static void
measure_rate(struct smtpd_learned_rate *l, uint32_t now)
{
	uint32_t seconds = now > l->began ? now - l->began : 1;
	uint32_t count = l->accepted > 0 ? l->accepted : 1;

	l->interval_us = smtpd__spacing_interval(count, seconds);
	l->pause_s = 0;
	l->raised = l->since = 0;
	l->holds = false;
	begin_run(l, now);
}

static void
raise_rate(struct smtpd_learned_rate *l)
{
	if (l->raised < RAISED_MAX)
		l->raised++;
	l->interval_us = l->interval_us * 10 / (10 + l->raised);
	if (l->interval_us < INTERVAL_MIN_US)
		l->interval_us = 0;
	l->since = 0;
	l->holds = false;
}

bool
smtpd__learned_rate_accept(struct smtpd_learned_rate *l, uint32_t now)
{
	bool measured = l->pause_s > 0 && now >= l->probe_at;

	l->likely = 0;
	if (measured)
		measure_rate(l, now);
	else if (l->pause_s == 0 && !is_running(l, now))
		begin_run(l, now);
	l->accepted++;
	/* In a pause it is one of those that were under way. */
	if (l->pause_s > 0)
		return false;
	l->last = now;
	if (now - l->began > RUN_S && l->accepted > 1) {
		l->began = now - (now - l->began) / 2;
		l->accepted /= 2;
	}
	if (measured || l->interval_us == 0 || ++l->since < RAISE_AFTER ||
	    !l->holds)
		return measured;
	raise_rate(l);
	return true;
}

/* Whether a reply that likely is a sign is one: see the strategy. */
static bool
is_believed(struct smtpd_learned_rate *l, uint32_t now)
{
	if (l->pause_s > 0)
		return true;
	if (l->interval_us == 0 &&
	    (!is_running(l, now) || l->accepted < EVIDENCE))
		return false;
	return ++l->likely >= LIKELY_MIN;
}

bool
smtpd__learned_rate_sign(struct smtpd_learned_rate *l, enum smtpd_throttle how,
    uint32_t now, uint32_t max_s)
{
	/* The eighth probe is a minute after the first sign. */
	uint64_t pause = l->pause_s + l->pause_s / 3 + 1;

	/* One of those that were under way says nothing new. */
	if (how == SMTPD_THROTTLE_NONE || (l->pause_s > 0 && now < l->probe_at))
		return false;
	if (how == SMTPD_THROTTLE_LIKELY && !is_believed(l, now))
		return false;
	l->likely = 0;
	if (l->pause_s == 0) {
		if (!is_running(l, now))
			begin_run(l, now);
		pause += l->interval_us / SMTPD_SPACING_SECOND_US;
	}
	if (pause > max_s)
		pause = max_s > 0 ? max_s : 1;
	l->pause_s = (uint32_t)pause;
	l->probe_at = smtpd__retry_after(now, pause);
	l->signed_at = now;
	return true;
}

uint64_t
smtpd__learned_rate_interval(const struct smtpd_learned_rate *l)
{
	return l->pause_s > 0 ? l->pause_s * SMTPD_SPACING_SECOND_US
			      : l->interval_us;
}

uint32_t
smtpd__learned_rate_end(const struct smtpd_learned_rate *l)
{
	if (l->interval_us == 0 && l->pause_s == 0)
		return 0;
	return smtpd__retry_after(l->signed_at, FORGET_S);
}
