/* SPDX-License-Identifier: MIT */
#include "os/disk_space.h"

#include <sys/statvfs.h>

#include <string.h>

#include "os/clock.h"

#define LOOK_MS      1000
#define MIN_FREE     (UINT64_C(64) << 20)
#define KEPT_PORTION 20 /* one in so many */

/* Of a small disk MIN_FREE would be too much: then it is one in so many. */
#define SMALL_PORTION 10

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

/* The octets that can be used; some file systems have no number of inodes. */
static uint64_t
measure_room(const struct smtpd_disk_space *s)
{
	struct statvfs disk;
	uint64_t available;
	uint64_t floor;

	if (fstatvfs(s->directory, &disk) == -1)
		return 0;
	if (disk.f_files > 0 && disk.f_favail <= disk.f_files / KEPT_PORTION)
		return 0;
	available = disk.f_bavail * disk.f_frsize;
	floor = floor_of(s, &disk);
	return available > floor ? available - floor : 0;
}

/* Measure the room without the lock, which is held before and after: a file
 * system that hangs holds up nobody else.  Only for the first figure all must
 * wait. */
static void
renew_room(struct smtpd_disk_space *s, uint64_t now)
{
	bool first = s->looked == 0;
	uint64_t room;

	s->looking = true;
	s->looked = now;
	if (!first)
		pthread_mutex_unlock(&s->lock);
	room = measure_room(s);
	if (!first)
		pthread_mutex_lock(&s->lock);
	s->looking = false;
	s->room = room;
}

bool
smtpd__disk_space_has_room(struct smtpd_disk_space *s, uint64_t size)
{
	uint64_t now = smtpd__clock_ms();
	uint64_t room;

	pthread_mutex_lock(&s->lock);
	if (!s->looking && (s->looked == 0 || now - s->looked >= LOOK_MS))
		renew_room(s, now);
	room = s->room;
	pthread_mutex_unlock(&s->lock);
	return room > size;
}
