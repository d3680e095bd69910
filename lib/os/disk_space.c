/* SPDX-License-Identifier: MIT */
#include "os/disk_space.h"

#include <sys/statvfs.h>

#include <errno.h>
#include <string.h>

#include "base/sizes.h"
#include "base/text.h"
#include "os/clock.h"

#define LOOK_MS      1000
#define MIB          (UINT64_C(1) << 20)
#define MIN_FREE     (64 * MIB)
#define KEPT_PORTION 20 /* one in so many */

/* Of a small disk MIN_FREE would be too much: then it is one in so many. */
#define SMALL_PORTION 10

/* What a look found. */
struct look {
	int error;           /* 0, or why there was none */
	bool of_inodes;      /* that is what there are too few of */
	uint64_t free, kept; /* octets or inodes, and how many must stay free */
};

void
smtpd__disk_space_init(
    struct smtpd_disk_space *s, int directory, uint64_t min_free)
{
	memset(s, 0, sizeof(*s));
	pthread_mutex_init(&s->lock, NULL);
	s->directory = directory;
	s->min_free = min_free;
}

void
smtpd__disk_space_finish(struct smtpd_disk_space *s)
{
	pthread_mutex_destroy(&s->lock);
}

static uint64_t
floor_of(const struct smtpd_disk_space *s, const struct statvfs *disk)
{
	uint64_t size = disk->f_blocks * disk->f_frsize;
	uint64_t small = size / SMALL_PORTION;
	uint64_t least = small < MIN_FREE ? small : MIN_FREE;

	if (s->min_free != 0)
		return s->min_free;
	return size / KEPT_PORTION > least ? size / KEPT_PORTION : least;
}

/* Some file systems have no number of inodes. */
static struct look
look_at_disk(const struct smtpd_disk_space *s)
{
	struct statvfs disk;

	if (fstatvfs(s->directory, &disk) == -1)
		return (struct look){ .error = errno };
	if (disk.f_files > 0 && disk.f_favail <= disk.f_files / KEPT_PORTION)
		return (struct look){ .of_inodes = true,
			.free = disk.f_favail,
			.kept = disk.f_files / KEPT_PORTION };
	return (struct look){ .free = disk.f_bavail * disk.f_frsize,
		.kept = floor_of(s, &disk) };
}

/* The octets of L that can be used. */
static uint64_t
room_of(const struct look *l)
{
	return l->error == 0 && !l->of_inodes && l->free > l->kept
	    ? l->free - l->kept
	    : 0;
}

static void
add_amount(struct smtpd_text *t, const struct look *l, uint64_t amount)
{
	bool small = l->of_inodes || amount < MIB;

	smtpd__text_format(t, "%llu %s",
	    (unsigned long long)(small ? amount : amount / MIB),
	    l->of_inodes ? "inodes"
		: small  ? "bytes"
			 : "MiB");
}

/* L is the first look without room, or with some again. */
static void
tell_change(const struct smtpd_disk_space *s, const struct look *l)
{
	bool full = room_of(l) == 0;
	char line[SMTPD_ERROR_TEXT_SIZE];
	struct smtpd_text t;

	smtpd__text_init(&t, line, sizeof(line));
	if (l->error != 0) {
		smtpd__text_format(&t, "cannot see how much is free on %s: %s",
		    s->name, strerror(l->error));
	} else {
		add_amount(&t, l, l->free);
		smtpd__text_format(&t, " free on %s, ", s->name);
		add_amount(&t, l, l->kept);
		smtpd__text_add(&t, " must stay free");
	}
	smtpd__logger_write(&s->logger,
	    full ? SMTPD_LOG_WARNING : SMTPD_LOG_INFO, "%s: %s", line,
	    full ? "mail is refused with 452 until then"
		 : "mail is accepted again");
}

/* Measure the room without the lock, which is held before and after: a file
 * system that hangs holds up nobody else.  Only for the first figure all must
 * wait. */
static struct look
renew_room(struct smtpd_disk_space *s, uint64_t now)
{
	bool first = s->looked == 0;
	struct look l;

	s->looking = true;
	s->looked = now;
	if (!first)
		pthread_mutex_unlock(&s->lock);
	l = look_at_disk(s);
	if (!first)
		pthread_mutex_lock(&s->lock);
	s->looking = false;
	s->room = room_of(&l);
	return l;
}

bool
smtpd__disk_space_has_room(struct smtpd_disk_space *s, uint64_t size)
{
	uint64_t now = smtpd__clock_ms();
	bool changed = false;
	struct look l;
	uint64_t room;

	pthread_mutex_lock(&s->lock);
	if (!s->looking && (s->looked == 0 || now - s->looked >= LOOK_MS)) {
		l = renew_room(s, now);
		changed = s->full != (s->room == 0);
		s->full = s->room == 0;
	}
	room = s->room;
	pthread_mutex_unlock(&s->lock);
	if (changed)
		tell_change(s, &l);
	return room > size;
}
