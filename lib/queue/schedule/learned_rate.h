/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_QUEUE_SCHEDULE_LEARNED_RATE_H
#define SMTPD_QUEUE_SCHEDULE_LEARNED_RATE_H

/*
 * The rate of messages that a site takes, learned from its refusals.  Pure:
 * time is given by the caller.
 *
 * The strategy.  As long as a site takes what it gets, its messages are only
 * counted, as a run that a short silence ends.  At the first sign that they
 * come too fast nothing is sent for a second, then one message as a probe, and
 * for each probe that is refused as well a third longer, up to a maximum.
 * When one is taken, what was taken since the run began, divided by the time
 * since then, is the rate: that holds for a receiver that counts by the second
 * and for one that counts by the hour.  While the rate is what holds mail up it
 * is raised after each RAISE_AFTER messages, by a tenth, then two tenths and so
 * on, until the next sign, which measures again.  An hour after the last sign
 * it is forgotten.
 *
 * A reply that may as well be greylisting, or be about one message, is a sign
 * only where two come in a row, and a run of messages was taken just before, or
 * a rate is known; it is enough of an answer to a probe.
 */

#include <stdbool.h>
#include <stdint.h>

/* How likely a reply says that messages come too fast. */
enum smtpd_throttle {
	SMTPD_THROTTLE_NONE,
	SMTPD_THROTTLE_LIKELY, /* a 4.7.x without a reason */
	SMTPD_THROTTLE_SURE,   /* it says so */
};

/* All zero: nothing is known. */
struct smtpd_learned_rate {
	uint64_t interval_us; /* between two messages; 0: not known */
	uint32_t began;       /* the run of messages that were taken */
	uint32_t last;        /* one of them was */
	uint32_t accepted;    /* how many were */
	uint32_t pause_s;     /* before each probe; 0: none is needed */
	uint32_t probe_at;    /* the next one */
	uint32_t signed_at;   /* the last sign */
	uint32_t likely;      /* likely ones in a row */
	uint32_t raised;      /* so often since it was measured */
	uint32_t since;       /* messages since it was raised */
	bool holds; /* it has held mail up since then; the caller sets it */
};

/* A message was taken at NOW.  Return true if interval or pause changed. */
bool smtpd__learned_rate_accept(struct smtpd_learned_rate *l, uint32_t now);

/* A message was refused at NOW, by a reply that says so HOW likely that it came
 * too fast.  A pause is no longer than MAX_S.  Return true if a pause
 * begins. */
bool smtpd__learned_rate_sign(struct smtpd_learned_rate *l,
    enum smtpd_throttle how, uint32_t now, uint32_t max_s);

/* The time between two messages at present; 0: any. */
uint64_t smtpd__learned_rate_interval(const struct smtpd_learned_rate *l);

/* When it is forgotten, if there is no sign any more; 0: nothing is known. */
uint32_t smtpd__learned_rate_end(const struct smtpd_learned_rate *l);

#endif
