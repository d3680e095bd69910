/* SPDX-License-Identifier: MIT */
#include "allowance.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* A span of time is divided into so many parts: what was sent is forgotten part
 * by part. */
#define PARTS 12

#define HOUR_S 3600
#define DAY_S  86400

#define CHAINS 256

/* What was sent in the last so many seconds. */
struct window {
	uint32_t counts[PARTS];
	int64_t part; /* the newest, since the clock began */
	bool told;    /* that the limit is reached */
};

struct spender {
	struct spender *next;
	struct window hour, day;
	char name[];
};

struct allowances {
	struct log *log;
	uint64_t per_hour, per_day;
	pthread_mutex_t lock; /* of what follows */
	struct spender *chains[CHAINS];
};

struct allowances *
allowances_create(uint64_t per_hour, uint64_t per_day, struct log *log)
{
	struct allowances *a = calloc(1, sizeof(*a));

	if (a == NULL)
		return NULL;
	a->log = log;
	a->per_hour = per_hour;
	a->per_day = per_day;
	pthread_mutex_init(&a->lock, NULL);
	return a;
}

void
allowances_destroy(struct allowances *a)
{
	if (a == NULL)
		return;
	for (size_t i = 0; i < CHAINS; i++) {
		while (a->chains[i] != NULL) {
			struct spender *s = a->chains[i];

			a->chains[i] = s->next;
			free(s);
		}
	}
	pthread_mutex_destroy(&a->lock);
	free(a);
}

/* The place of USER in its chain, or the end of that. */
static struct spender **
find_place(struct allowances *a, const char *user)
{
	struct spender **at;
	unsigned sum = 0;

	for (const char *c = user; *c != '\0'; c++)
		sum = sum * 31 + (unsigned char)*c;
	at = &a->chains[sum % CHAINS];
	while (*at != NULL && strcmp((*at)->name, user) != 0)
		at = &(*at)->next;
	return at;
}

/* Those who authenticated have an account: there are no more than these. */
static struct spender *
find_spender(struct allowances *a, const char *user)
{
	struct spender **at = find_place(a, user);
	size_t size = strlen(user) + 1;

	if (*at == NULL && (*at = calloc(1, sizeof(**at) + size)) != NULL)
		memcpy((*at)->name, user, size);
	return *at;
}

/* Forget what is older than SPAN seconds at NOW. */
static void
forget_old(struct window *w, int64_t now, int64_t span)
{
	int64_t part = now / (span / PARTS);

	if (part - w->part >= PARTS) {
		*w = (struct window){ .part = part };
		return;
	}
	while (w->part < part) {
		w->counts[++w->part % PARTS] = 0;
		w->told = false;
	}
}

/* Return 0 if W, of SPAN seconds, is below LIMIT at NOW; or the seconds until
 * the oldest that was sent is forgotten. */
static int64_t
seconds_to_wait(struct window *w, int64_t now, int64_t span, uint64_t limit)
{
	uint64_t sum = 0;
	int64_t oldest = 0;

	forget_old(w, now, span);
	for (int64_t part = w->part; part > w->part - PARTS && part >= 0;
	    part--) {
		if (w->counts[part % PARTS] > 0)
			oldest = part;
		sum += w->counts[part % PARTS];
	}
	if (limit == 0 || sum < limit)
		return 0;
	return (oldest + PARTS) * (span / PARTS) - now;
}

/* W of USER has reached its LIMIT for SPAN: log that once. */
static void
log_limit(struct allowances *a, struct window *w, const char *user,
    uint64_t limit, const char *span)
{
	if (!w->told)
		log_line(a->log, SMTPD_LOG_WARNING,
		    "user=%s has sent to %llu recipients in %s, which is the "
		    "limit: more are refused for now",
		    user, (unsigned long long)limit, span);
	w->told = true;
}

static int64_t
take_one(struct allowances *a, struct spender *s, int64_t now, uint64_t *limit)
{
	int64_t hour = seconds_to_wait(&s->hour, now, HOUR_S, a->per_hour);
	int64_t day = seconds_to_wait(&s->day, now, DAY_S, a->per_day);

	*limit = day > 0 ? a->per_day : a->per_hour;
	if (day > 0) {
		log_limit(a, &s->day, s->name, *limit, "a day");
		return day;
	}
	if (hour > 0) {
		log_limit(a, &s->hour, s->name, *limit, "an hour");
		return hour;
	}
	s->hour.counts[s->hour.part % PARTS]++;
	s->day.counts[s->day.part % PARTS]++;
	return 0;
}

int64_t
allowances_take(
    struct allowances *a, const char *user, int64_t now, uint64_t *limit)
{
	struct spender *s;
	int64_t result = -1;

	pthread_mutex_lock(&a->lock);
	s = find_spender(a, user);
	if (s != NULL)
		result = take_one(a, s, now, limit);
	pthread_mutex_unlock(&a->lock);
	return result;
}
