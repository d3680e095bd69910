/* SPDX-License-Identifier: MIT */
#include "queue/schedule/retry.h"

/* A message in doubt waits so many times the minimum at least. */
#define IN_DOUBT_FACTOR 6

uint64_t
smtpd__retry_backoff(
    const struct smtpd_retry_bounds *bounds, uint32_t failures, uint64_t random)
{
	uint32_t times = failures > 0 ? failures - 1 : 0;
	uint64_t delay = bounds->max;
	uint64_t tenth;

	if (times < 32 && bounds->min << times < bounds->max)
		delay = bounds->min << times;
	tenth = bounds->jitter ? delay / 10 : 0;
	return delay - tenth + random % (2 * tenth + 1);
}

uint32_t
smtpd__retry_after(uint32_t when, uint64_t seconds)
{
	uint64_t last = SMTPD_TIME_NONE - 1;

	if (when > last || seconds > last - when)
		return (uint32_t)last;
	return when + (uint32_t)seconds;
}

uint32_t
smtpd__retry_expiry(
    const struct smtpd_retry_rules *rules, uint32_t arrived, unsigned flags)
{
	uint32_t lifetime = (flags & SMTPD_MESSAGE_NULL_SENDER) != 0
	    ? rules->bounce_lifetime
	    : rules->lifetime;

	if (lifetime == SMTPD_TIME_NONE)
		return SMTPD_TIME_NONE;
	return smtpd__retry_after(arrived, lifetime);
}

uint32_t
smtpd__retry_delay_notice(const struct smtpd_retry_rules *rules,
    uint32_t arrived, unsigned flags, bool sent)
{
	const unsigned nobody =
	    SMTPD_MESSAGE_NULL_SENDER | SMTPD_MESSAGE_AUTOMATIC;

	if (rules->delay_notice == SMTPD_TIME_NONE || sent ||
	    (flags & nobody) != 0)
		return SMTPD_TIME_NONE;
	return smtpd__retry_after(arrived, rules->delay_notice);
}

/* When a message of ATTEMPTS, the present one included, is tried again. */
static uint32_t
next_attempt(const struct smtpd_retry_rules *rules,
    const struct smtpd_retry_facts *facts, uint16_t attempts, uint32_t expiry,
    uint64_t random)
{
	const struct smtpd_retry_bounds bounds = {
		.min = rules->min,
		.max = rules->max,
		.jitter = true,
	};
	uint64_t delay = smtpd__retry_backoff(&bounds, attempts, random);
	uint64_t in_doubt = bounds.min * IN_DOUBT_FACTOR;
	uint32_t when;

	if (facts->now >= expiry)
		return smtpd__retry_after(facts->now, rules->min);
	if (facts->in_doubt && delay < in_doubt)
		delay = in_doubt;
	when = smtpd__retry_after(facts->now, delay);
	return when < expiry ? when : expiry;
}

struct smtpd_retry
smtpd__retry_decide(const struct smtpd_retry_rules *rules,
    const struct smtpd_retry_facts *facts, uint64_t random)
{
	const uint32_t end =
	    smtpd__retry_expiry(rules, facts->arrived, facts->flags);
	struct smtpd_retry r = {
		.due = facts->due,
		.expiry = facts->held ? SMTPD_TIME_NONE : end,
		.attempts = facts->attempts,
	};
	uint32_t suspended = facts->site_resumes_at;
	bool over = facts->now >= r.expiry;

	if (facts->tried && r.attempts < UINT16_MAX)
		r.attempts++;
	if (facts->tried || facts->in_doubt ||
	    (facts->held && facts->now >= end))
		r.due =
		    next_attempt(rules, facts, r.attempts, r.expiry, random);
	if (r.due < suspended)
		r.due = suspended < r.expiry ? suspended : r.expiry;
	r.expired = !facts->cancelled && over;
	r.wants_delay_notice = !facts->cancelled && !over &&
	    facts->now >= smtpd__retry_delay_notice(rules, facts->arrived,
			      facts->flags, facts->delay_notice_sent);
	return r;
}
