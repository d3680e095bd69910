/* SPDX-License-Identifier: MIT */
#include "journal/disk/segments.h"

#include <stdlib.h>

struct smtpd_disk_segment *
smtpd__disk_segments_find(struct smtpd_disk *log, uint32_t number)
{
	size_t from = 0, to = log->count;

	while (from < to) {
		size_t i = from + (to - from) / 2;

		if (log->segments[i].number == number)
			return &log->segments[i];
		if (log->segments[i].number < number)
			from = i + 1;
		else
			to = i;
	}
	return NULL;
}

int
smtpd__disk_segments_grow(struct smtpd_disk *log)
{
	struct smtpd_disk_segment *segments;
	size_t room;

	if (log->count < log->room)
		return 0;
	room = log->room * 2 + 16;
	segments = realloc(log->segments, room * sizeof(*segments));
	if (segments == NULL)
		return -1;
	log->segments = segments;
	log->room = room;
	return 0;
}

void
smtpd__disk_segments_count_live(
    struct smtpd_disk *log, struct smtpd_disk_segment *s, uint32_t size)
{
	s->live_bytes += size;
	s->live_records++;
	log->stats.live_bytes += size;
	log->stats.live_records++;
}

void
smtpd__disk_segments_count_dead(
    struct smtpd_disk *log, struct smtpd_disk_segment *s, uint32_t size)
{
	/* A caller that miscounts must not have a segment live for ever. */
	if (s == NULL || s->live_records == 0 || s->live_bytes < size)
		return;
	s->live_bytes -= size;
	s->live_records--;
	log->stats.live_bytes -= size;
	log->stats.live_records--;
}

int
smtpd__disk_segments_find_spare(
    const struct smtpd_disk *log, enum smtpd_disk_spare state)
{
	int i = 0;

	while (i < SMTPD_DISK_SPARES && log->spares[i] != state)
		i++;
	return i;
}

unsigned
smtpd__disk_segments_spares(const struct smtpd_disk *log)
{
	unsigned n = 0;

	for (int i = 0; i < SMTPD_DISK_SPARES; i++)
		n += log->spares[i] == SMTPD_DISK_SPARE_READY;
	return n;
}

uint32_t
smtpd__disk_segments_room(const struct smtpd_disk *log)
{
	if (log->fd == -1 || log->rolling)
		return 0;
	return SMTPD_DISK_LIMIT(log->segments[log->count - 1].size) - log->tail;
}

unsigned
smtpd__disk_segments_kept(const struct smtpd_disk *log)
{
	return log->count > 1 ? 1 : 0;
}
