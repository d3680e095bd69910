/* SPDX-License-Identifier: MIT */
#include "user_shares.h"

#include <sys/statvfs.h>

#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#define DAY_S 86400

/* The part of the disk that is a share by default. */
#define DISK_PART 8

/* What a message takes beside its octets. */
#define OVERHEAD 4096

/* Of one user: OCTETS at the second WHEN. */
struct share {
	uid_t uid;
	uint64_t octets;
	int64_t when;
	bool told; /* that there is no room */
};

struct user_shares {
	uint64_t limit;
	struct log *log;
	pthread_mutex_t lock; /* of what follows */
	struct share *list;
	size_t count, cap;
};

struct user_shares *
user_shares_create(uint64_t share, const char *queue, struct log *log)
{
	struct user_shares *u = calloc(1, sizeof(*u));
	struct statvfs disk;

	if (u == NULL)
		return NULL;
	if (share == 0 && statvfs(queue, &disk) == -1) {
		free(u);
		return NULL;
	}
	u->limit = share != 0
	    ? share
	    : (uint64_t)disk.f_blocks * disk.f_frsize / DISK_PART;
	u->log = log;
	pthread_mutex_init(&u->lock, NULL);
	return u;
}

void
user_shares_destroy(struct user_shares *u)
{
	if (u == NULL)
		return;
	pthread_mutex_destroy(&u->lock);
	free(u->list);
	free(u);
}

/* Forget what S has had for long enough at NOW. */
static void
forget_octets(const struct user_shares *u, struct share *s, int64_t now)
{
	double old = (double)u->limit * (double)(now - s->when) / DAY_S;

	if (now <= s->when)
		return;
	s->octets -= old < (double)s->octets ? (uint64_t)old : s->octets;
	s->when = now;
	if (s->octets < u->limit)
		s->told = false;
}

/* Leave out those who have nothing at NOW. */
static void
drop_idle(struct user_shares *u, int64_t now)
{
	size_t kept = 0;

	for (size_t i = 0; i < u->count; i++) {
		forget_octets(u, &u->list[i], now);
		if (u->list[i].octets > 0)
			u->list[kept++] = u->list[i];
	}
	u->count = kept;
}

/* The share of UID, which is added where there is none; NULL without memory. */
static struct share *
find_share(struct user_shares *u, uid_t uid, int64_t now)
{
	for (size_t i = 0; i < u->count; i++)
		if (u->list[i].uid == uid) {
			forget_octets(u, &u->list[i], now);
			return &u->list[i];
		}
	if (u->count == u->cap)
		drop_idle(u, now);
	if (u->count == u->cap) {
		size_t cap = 2 * u->cap + 16;
		struct share *more = realloc(u->list, cap * sizeof(*more));

		if (more == NULL)
			return NULL;
		u->list = more;
		u->cap = cap;
	}
	u->list[u->count] = (struct share){ .uid = uid, .when = now };
	return &u->list[u->count++];
}

static bool
has_no_limit(uid_t uid)
{
	return uid == 0 || uid == geteuid();
}

/* Return whether S has room; *NEWS: the log is to say that it has none. */
static bool
look_at_share(
    const struct user_shares *u, struct share *s, uint64_t size, bool *news)
{
	bool room = s->octets < u->limit && size < u->limit - s->octets;

	*news = !room && !s->told;
	s->told |= !room;
	return room;
}

bool
user_shares_has_room(
    struct user_shares *u, uid_t uid, uint64_t size, int64_t now)
{
	bool room = true, news = false;
	struct share *s;

	if (has_no_limit(uid))
		return true;
	pthread_mutex_lock(&u->lock);
	s = find_share(u, uid, now);
	if (s != NULL)
		room = look_at_share(u, s, size, &news);
	pthread_mutex_unlock(&u->lock);
	if (news)
		log_line(u->log, SMTPD_LOG_WARNING,
		    "uid=%lu has queued its share of %llu octets in a day "
		    "(--user-share): more waits, or is refused for now",
		    (unsigned long)uid, (unsigned long long)u->limit);
	return room;
}

void
user_shares_add(struct user_shares *u, uid_t uid, uint64_t size, int64_t now)
{
	struct share *s;

	if (has_no_limit(uid))
		return;
	pthread_mutex_lock(&u->lock);
	s = find_share(u, uid, now);
	if (s != NULL)
		s->octets += size + OVERHEAD;
	pthread_mutex_unlock(&u->lock);
}
