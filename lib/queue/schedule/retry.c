/* SPDX-License-Identifier: MIT */
#include "queue/schedule/retry.h"

/* A message whose reply to the dot was lost may have arrived: it waits for so
 * many times retry_min before it may arrive twice. */
#define UNSURE_FACTOR 6

/* splitmix64 */
static uint64_t
next_random(struct smtpd_schedule *s)
{
	uint64_t z = s->random += 0x9e3779b97f4a7c15U;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
	return z ^ (z >> 31);
}

uint32_t
smtpd__retry_after(uint32_t when, uint64_t seconds)
{
	uint64_t last = SMTPD_TIME_NONE - 1;

	if (when > last || seconds > last - when)
		return (uint32_t)last;
	return when + (uint32_t)seconds;
}

uint64_t
smtpd__retry_backoff(struct smtpd_schedule *s, uint32_t failures)
{
	uint64_t delay = s->settings.retry_max;
	uint32_t times = failures > 0 ? failures - 1 : 0;
	uint64_t tenth;

	if (times < 32 && (uint64_t)s->settings.retry_min << times < delay)
		delay = (uint64_t)s->settings.retry_min << times;
	tenth = delay / 10;
	return delay - tenth + next_random(s) % (2 * tenth + 1);
}

uint32_t
smtpd__schedule_expiry(
    const struct smtpd_schedule *s, const struct smtpd_delivery_job *job)
{
	const struct smtpd_queued_message *e = job->message;
	uint32_t lifetime = (e->flags & SMTPD_MESSAGE_NULL_SENDER) != 0
	    ? s->settings.bounce_lifetime
	    : s->settings.lifetime;

	if (lifetime == SMTPD_TIME_NONE)
		return SMTPD_TIME_NONE;
	return smtpd__retry_after(e->arrived, lifetime);
}

/* When its sender is to be told of the delay, if nothing else happens. */
static uint32_t
notice_time(
    const struct smtpd_schedule *s, const struct smtpd_delivery_job *job)
{
	if (s->settings.notice == SMTPD_TIME_NONE || job->delay_notice_sent ||
	    (job->message->flags &
		(SMTPD_MESSAGE_NULL_SENDER | SMTPD_MESSAGE_AUTOMATIC)) != 0)
		return SMTPD_TIME_NONE;
	return smtpd__retry_after(job->message->arrived, s->settings.notice);
}

uint32_t
smtpd__retry_event(
    const struct smtpd_schedule *s, const struct smtpd_delivery_job *job)
{
	uint32_t notice = notice_time(s, job);
	uint32_t expiry = smtpd__schedule_expiry(s, job);

	return notice < expiry ? notice : expiry;
}

bool
smtpd__schedule_is_expired(const struct smtpd_schedule *s,
    const struct smtpd_delivery_job *job, uint32_t now)
{
	return now >= smtpd__schedule_expiry(s, job);
}

bool
smtpd__schedule_wants_notice(const struct smtpd_schedule *s,
    const struct smtpd_delivery_job *job, uint32_t now)
{
	return now >= notice_time(s, job) &&
	    !smtpd__schedule_is_expired(s, job, now);
}

uint32_t
smtpd__schedule_retry(struct smtpd_schedule *s,
    const struct smtpd_delivery_job *job, uint16_t attempts, uint32_t now)
{
	uint32_t expiry = smtpd__schedule_expiry(s, job);
	uint64_t delay = smtpd__retry_backoff(s, attempts);
	uint64_t least = (uint64_t)s->settings.retry_min * UNSURE_FACTOR;
	uint32_t when;

	if (now >= expiry)
		return smtpd__retry_after(now, s->settings.retry_min);
	if (job->in_doubt && delay < least)
		delay = least;
	when = smtpd__retry_after(now, delay);
	return when < expiry ? when : expiry;
}
