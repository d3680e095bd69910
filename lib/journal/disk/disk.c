/* SPDX-License-Identifier: MIT */
#include "journal/disk/disk.h"

#include <stdlib.h>

#include "journal/disk/segments.h"
#include "os/fd.h"

void
smtpd__disk_release(
    struct smtpd_disk *log, struct smtpd_record_ref ref, uint32_t size)
{
	pthread_mutex_lock(&log->lock);
	smtpd__disk_segments_count_dead(log,
	    smtpd__disk_segments_find(log, smtpd__disk_format_ref_segment(ref)),
	    size);
	pthread_mutex_unlock(&log->lock);
}

void
smtpd__disk_stats(struct smtpd_disk *log, struct smtpd_journal_stats *stats)
{
	uint32_t reserve = log->settings.reserve;
	uint64_t room;
	unsigned spares;

	pthread_mutex_lock(&log->lock);
	*stats = log->stats;
	stats->segments = (uint32_t)log->count;
	for (size_t i = 0; i < log->count; i++)
		stats->size += log->segments[i].size;
	stats->spares = spares = smtpd__disk_segments_spares(log);
	spares -= spares > 0 ? smtpd__disk_segments_kept(log) : 0;
	/* The next segment, while it is made, is a spare no longer. */
	room = (uint64_t)(spares + log->rolling) *
	    (log->settings.segment_size - 2 * SMTPD_DISK_PAGE);
	room += smtpd__disk_segments_room(log);
	stats->room = room > reserve ? room - reserve : 0;
	pthread_mutex_unlock(&log->lock);
}

void
smtpd__disk_close(struct smtpd_disk *log)
{
	if (log == NULL)
		return;
	smtpd__fd_close(log->fd);
	smtpd__fd_close(log->dir);
	for (int i = 0; i < 2; i++) {
		free(log->batches[i].buf);
		pthread_cond_destroy(&log->batches[i].done);
	}
	pthread_cond_destroy(&log->idle);
	pthread_cond_destroy(&log->written);
	pthread_mutex_destroy(&log->lock);
	free(log->segments);
	free(log);
}
