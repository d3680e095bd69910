/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_QUEUE_SCHEDULE_SHAPING_H
#define SMTPD_QUEUE_SCHEDULE_SHAPING_H

/*
 * The limits of a site: those that it was given, and those that it was seen to
 * have.  A site that has had its messages of the present second is held until
 * the next one; one that has had its connections gets no new one.  Under the
 * schedule's lock.
 */

#include <stdbool.h>
#include <stdint.h>

#include "queue/schedule/learned_rate.h"

struct smtpd_schedule;
struct smtpd_site;

/* Limits that a site is given; 0: none. */
struct smtpd_shaping_limits {
	uint64_t message_us;    /* between two messages, at least */
	uint64_t connection_us; /* between two connections */
	uint32_t connections;   /* at a time, in place of the queue's limit */
	uint32_t rcpts;         /* in a transaction */
	uint32_t mails;         /* transactions in a connection */
};

/* Give SITE LIMITS when a job comes to it for the first time: the job, and the
 * caller's connection, count.  A site that has limits keeps them. */
void smtpd__shaping_limit(struct smtpd_schedule *s, struct smtpd_site *site,
    const struct smtpd_shaping_limits *limits, uint32_t now);

/* What an attempt at a site showed of its limits. */
struct smtpd_shaping_signs {
	enum smtpd_throttle throttle;
	bool accepted;        /* it took the message, for some recipient */
	uint32_t mails;       /* transactions that were begun */
	uint32_t connections; /* that were opened, beside the caller's */
	uint32_t full_at;     /* it ended a connection (421) after so many
	                       * transactions; 0: no */
	uint32_t mails_max;   /* what it announced (RFC 9422); 0 */
	uint32_t rcpts_max;
};
void smtpd__shaping_learn(struct smtpd_schedule *s, struct smtpd_site *site,
    const struct smtpd_shaping_signs *signs, uint32_t now);

/* A message is sent, a connection opened. */
void smtpd__shaping_use_message(
    struct smtpd_schedule *s, struct smtpd_site *site, uint32_t now);
void smtpd__shaping_use_connection(
    struct smtpd_schedule *s, struct smtpd_site *site, uint32_t now);

/* Put SITE where it belongs by its limits at NOW, and forget what is over. */
void smtpd__shaping_refresh(
    struct smtpd_schedule *s, struct smtpd_site *site, uint32_t now);

/* Whether something is known of SITE that must outlive its mail. */
bool smtpd__shaping_remembers(const struct smtpd_site *site);

/* SITE is freed. */
void smtpd__shaping_finish(struct smtpd_schedule *s, struct smtpd_site *site);

/* The most connections that SITE may have. */
uint32_t smtpd__shaping_connections(
    const struct smtpd_schedule *s, const struct smtpd_site *site);

/* What is known of the limits of a site; 0 or false: nothing. */
struct smtpd_shaping_info {
	struct smtpd_shaping_limits limits;
	uint64_t learned_us; /* between two messages */
	uint32_t probe_at;   /* it takes no message until then, at least */
	uint32_t full_at;    /* transactions in a connection, learned */
	uint32_t mails_max;  /* announced */
	uint32_t rcpts_max;
};
void smtpd__shaping_describe(
    const struct smtpd_site *site, struct smtpd_shaping_info *out);

#endif
