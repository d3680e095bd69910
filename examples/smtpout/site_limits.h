/* SPDX-License-Identifier: MIT */
#ifndef SITE_LIMITS_H
#define SITE_LIMITS_H

/*
 * The limits of sites, as --limit gives them: the first that fits counts.
 */

#include <smtpd/queue.h>

#include <stddef.h>

/* One of --limit: PATTERN:NAME=VALUE[,NAME=VALUE]... */
struct site_limit {
	const char *pattern;
	struct smtpd_site_limits limits;
};

struct site_limits {
	struct site_limit *list;
	size_t count;
};

/* Read TEXT, which is changed, into OUT, which points into it.  Return NULL, or
 * what is wrong with it. */
const char *site_limits_parse(char *text, struct site_limit *out);

/* A smtpd_limits_fn; LIMITS is a struct site_limits. */
void site_limits_find(const struct smtpd_queue_destination *destination,
    struct smtpd_site_limits *out, void *limits);

#endif
