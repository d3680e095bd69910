/* SPDX-License-Identifier: MIT */
#ifndef UNIT_SCHEDULE_NAIVE_H
#define UNIT_SCHEDULE_NAIVE_H

/*
 * The rules of a schedule once more, without any of its lists: whatever is
 * asked, all that there is is looked through.  What comes first is told by
 * numbers that rise; things that happen at once have the same.
 */

#include "schedule_fixture.h"

enum {
	NAIVE_DOMAINS = 12,
	NAIVE_SHARED = 4,
	NAIVE_SITES = NAIVE_DOMAINS + NAIVE_SHARED, /* own ones come first */
	NAIVE_JOBS = 80,
};

/* Never tried, and tried. */
enum {
	FRESH,
	RETRY,
	KINDS
};

struct naive_job {
	struct smtpd_delivery_job *job; /* NULL: there is none */
	int domain;
	enum smtpd_job_state state;
	bool counted; /* active, and a retry */
	int64_t order;
};

struct naive_domain {
	int site;
	int64_t order[KINDS];
	bool has[KINDS];
};

struct naive_site {
	uint32_t connections;
	uint32_t limit;
	uint32_t failures;
	uint32_t successes;
	uint32_t resumes_at; /* 0: not suspended */
	uint32_t suspended_at;
	bool probing;
	bool known;
	bool asked;
	bool forgotten; /* whether it is known was not compared yet */
	int streak;
	bool has[KINDS]; /* in turn at all; in turn with fresh mail */
	int64_t order[KINDS];
};

struct naive {
	const struct smtpd_schedule_settings *settings;
	uint32_t start_limit;
	uint32_t site_limit;
	uint32_t retry_limit;
	uint32_t stranger_limit;
	uint32_t busy;
	uint32_t aside;
	bool served_known;
	bool served_newest;
	int64_t last; /* numbers that were given out */
	int64_t first;
	struct naive_job jobs[NAIVE_JOBS];
	struct naive_domain domains[NAIVE_DOMAINS];
	struct naive_site sites[NAIVE_SITES];
};

void naive_begin(
    struct naive *n, const struct smtpd_schedule_settings *settings);

/* What a domain or site is called. */
const char *naive_domain_name(int domain);
const char *naive_site_name(int site);

/* Job J came to be ready, at the end or in front. */
void naive_append(struct naive *n, int j);
void naive_prepend(struct naive *n, int j);

/* J, which is ready, is new: its site is probed earlier. */
void naive_hasten(struct naive *n, int j, uint32_t now);

/* Note what has changed, after each operation. */
void naive_update(struct naive *n);

/* Open and have ready what is due at NOW. */
void naive_advance(struct naive *n, uint32_t now);

bool naive_has_room(const struct naive *n, int site);

/* Whether SITE may be the next, and whether there is any. */
bool naive_may_serve(const struct naive *n, int site);
bool naive_needs_worker(const struct naive *n);

/* SITE gives a job to a new connection (served), or to one it has.  Return the
 * kind that must be given; -1: none. */
int naive_kind(struct naive *n, int site);

/* Whether J may be the next of its site and KIND; it is active then. */
bool naive_may_take(const struct naive *n, int j, int site, int kind);
void naive_take(struct naive *n, int j);
void naive_served(struct naive *n, int site);

/* The site changes by a report; OPENS is what was said of the time. */
void naive_report(struct naive *n, int site, enum smtpd_site_feedback feedback,
    uint32_t now, uint32_t resumes_at);

/* A domain's mail goes to SITE. */
void naive_move(struct naive *n, int domain, int site);

/* Whether J, which is ready, needs attention. */
bool naive_is_overdue(const struct naive *n, int j, uint32_t now);

#endif
