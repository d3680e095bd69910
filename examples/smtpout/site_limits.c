/* SPDX-License-Identifier: MIT */
#include "site_limits.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char mx[] = "mx:";

#define NUMBER_MAX 1000000

/* Read the number at *AT, from 1 on, and move *AT behind it.  Return it, or 0.
 */
static uint32_t
read_number(const char **at)
{
	char *end;
	unsigned long n;

	if (**at < '0' || **at > '9')
		return 0;
	n = strtoul(*at, &end, 10);
	*at = end;
	return n <= NUMBER_MAX ? (uint32_t)n : 0;
}

/* Read "N/s" and the like.  Return false if TEXT is none. */
static bool
read_rate(const char *text, uint32_t *count, uint32_t *seconds)
{
	static const char units[] = "smhd";
	static const uint32_t lengths[] = { 1, 60, 3600, 86400 };
	const char *unit;

	*count = read_number(&text);
	if (*count == 0 || text[0] != '/' || text[1] == '\0' || text[2] != '\0')
		return false;
	unit = strchr(units, text[1]);
	if (unit == NULL)
		return false;
	*seconds = lengths[unit - units];
	return true;
}

static bool
read_count(const char *text, uint32_t *count)
{
	*count = read_number(&text);
	return *count > 0 && *text == '\0';
}

/* Read one limit, NAME=VALUE.  Return NULL, or what is wrong. */
static const char *
read_limit(char *text, struct smtpd_site_limits *l)
{
	char *value = strchr(text, '=');
	bool good;

	if (value == NULL)
		return "a limit is NAME=VALUE";
	*value++ = '\0';
	if (strcmp(text, "rate") == 0)
		good = read_rate(value, &l->messages, &l->messages_s);
	else if (strcmp(text, "connection-rate") == 0)
		good = read_rate(
		    value, &l->new_connections, &l->new_connections_s);
	else if (strcmp(text, "connections") == 0)
		good = read_count(value, &l->connections);
	else if (strcmp(text, "rcpts") == 0)
		good = read_count(value, &l->recipients);
	else if (strcmp(text, "messages") == 0)
		good = read_count(value, &l->messages_per_connection);
	else
		return "the limits are rate, connection-rate, connections, "
		       "rcpts and messages";
	return good ? NULL
		    : "a rate is N/s, N/m, N/h or N/d, other limits are "
		      "numbers, from 1 to 1000000";
}

static bool
is_pattern(const char *name)
{
	return strcmp(name, "*") == 0 ||
	    (name[name[0] == '.'] != '\0' && strpbrk(name, "@,*= \t") == NULL);
}

const char *
site_limits_parse(char *text, struct site_limit *out)
{
	char *colon = strrchr(text, ':');
	const char *name, *fault = NULL;

	*out = (struct site_limit){ text, { SMTPD_SITE_LIMITS_INIT } };
	if (colon == NULL)
		return "give PATTERN:LIMIT=VALUE[,LIMIT=VALUE]";
	*colon++ = '\0';
	name = strncmp(text, mx, strlen(mx)) == 0 ? text + strlen(mx) : text;
	if (!is_pattern(name))
		return "the pattern is a domain, .domain, *, or mx: and one of "
		       "these";
	for (char *next = colon; fault == NULL && next != NULL; colon = next) {
		next = strchr(colon, ',');
		if (next != NULL)
			*next++ = '\0';
		fault = read_limit(colon, &out->limits);
	}
	return fault;
}

/* Whether the LEN bytes of a name at NAME fit PATTERN: a name, or .name for all
 * below it, or * for any. */
static bool
fits_name(const char *pattern, const char *name, size_t len)
{
	size_t plen = strlen(pattern);

	if (strcmp(pattern, "*") == 0)
		return true;
	if (*pattern != '.')
		return len == plen && strncasecmp(pattern, name, len) == 0;
	return len > plen && strncasecmp(pattern, name + len - plen, plen) == 0;
}

static bool
fits_host(const char *pattern, const char *hosts)
{
	for (const char *at = hosts; *at != '\0';) {
		size_t len = strcspn(at, ",");

		if (fits_name(pattern, at, len))
			return true;
		at += len;
		at += *at == ',';
	}
	return false;
}

void
site_limits_find(const struct smtpd_queue_destination *destination,
    struct smtpd_site_limits *out, void *limits)
{
	const struct site_limits *all = limits;

	for (size_t i = 0; i < all->count; i++) {
		const struct site_limit *l = &all->list[i];
		bool host = strncmp(l->pattern, mx, strlen(mx)) == 0;

		if (host
			? fits_host(l->pattern + strlen(mx), destination->hosts)
			: fits_name(l->pattern, destination->domain,
			      strlen(destination->domain))) {
			*out = l->limits;
			return;
		}
	}
}
