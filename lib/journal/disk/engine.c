/* SPDX-License-Identifier: MIT */
#include "journal/disk/engine.h"

#include <sys/statvfs.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "journal/disk/append.h"
#include "journal/disk/aside.h"
#include "journal/disk/contents.h"
#include "journal/disk/directory.h"
#include "journal/disk/format.h"
#include "journal/disk/open.h"
#include "journal/disk/prepare.h"
#include "journal/disk/read.h"
#include "journal/disk/recycle.h"
#include "journal/disk/store.h"

static int
replay_record(void *user, struct smtpd_disk *log,
    const struct smtpd_journal_record *record)
{
	struct smtpd_disk_store *store = user;

	/* So that it can release. */
	store->log = log;
	return store->replay(store->replay_user, record);
}

static int
replay_log(struct smtpd_journal *j, smtpd_journal_replay_fn *fn, void *user,
    char *error, size_t size)
{
	struct smtpd_disk_store *store = SMTPD_DISK_STORE(j);
	const struct smtpd_disk_settings settings = {
		.segment_size = store->settings.segment_size,
		.read_only = store->settings.read_only,
		.replay = replay_record,
		.damaged = smtpd__disk_aside_damaged,
		.user = store,
	};

	store->replay = fn;
	store->replay_user = user;
	store->log = smtpd__disk_open(store->log_dir, &settings, error, size);
	return store->log != NULL ? 0 : -1;
}

static int
append_records(struct smtpd_journal *j, struct smtpd_journal_record *records,
    size_t n, unsigned flags)
{
	return smtpd__disk_append(SMTPD_DISK_STORE(j)->log, records, n, flags);
}

static int
append_begin(struct smtpd_journal *j, struct smtpd_journal_record *records,
    size_t n, unsigned flags, struct smtpd_journal_promise *promise)
{
	return smtpd__disk_append_begin(
	    SMTPD_DISK_STORE(j)->log, records, n, flags, promise);
}

static int
append_end(struct smtpd_journal *j, struct smtpd_journal_promise *promise)
{
	return smtpd__disk_append_end(SMTPD_DISK_STORE(j)->log, promise);
}

static void *
read_record(struct smtpd_journal *j, struct smtpd_record_ref ref,
    size_t body_max, struct smtpd_journal_record *record, const void **body)
{
	return smtpd__disk_read(
	    SMTPD_DISK_STORE(j)->log, ref, body_max, record, body);
}

static void *
read_raw(struct smtpd_journal *j, struct smtpd_record_ref ref, uint32_t size,
    struct smtpd_journal_raw *raw)
{
	return smtpd__disk_read_raw(SMTPD_DISK_STORE(j)->log, ref, size, raw);
}

static void
release_record(struct smtpd_journal *j, uint64_t subject,
    struct smtpd_record_ref ref, uint32_t size)
{
	(void)subject;
	smtpd__disk_release(SMTPD_DISK_STORE(j)->log, ref, size);
}

static bool
is_due_for_relocation(struct smtpd_journal *j, struct smtpd_record_ref ref)
{
	const struct smtpd_disk_store *store = SMTPD_DISK_STORE(j);

	return store->due != 0 &&
	    smtpd__disk_format_ref_segment(ref) == store->due;
}

static int
keep_house(struct smtpd_journal *j)
{
	struct smtpd_disk_store *store = SMTPD_DISK_STORE(j);
	int prepared, todo = 0;

	if (store->settings.read_only)
		return 0;
	smtpd__disk_append_flush(store->log);
	prepared = smtpd__disk_prepare(store->log);
	if (prepared == 1)
		todo |= SMTPD_JOURNAL_AGAIN;
	if (prepared == -1 && errno == ENOSPC)
		todo |= SMTPD_JOURNAL_TIGHT;
	store->due = smtpd__disk_recycle_due(store->log);
	if (store->due == 0)
		return todo;
	if (smtpd__disk_recycle(store->log) > 0) {
		store->due = 0;
		return todo | SMTPD_JOURNAL_AGAIN;
	}
	return todo | SMTPD_JOURNAL_DUE;
}

static int
directory_of(struct smtpd_journal *j)
{
	return SMTPD_DISK_STORE(j)->dir;
}

static void
read_stats(struct smtpd_journal *j, struct smtpd_journal_stats *out)
{
	smtpd__disk_stats(SMTPD_DISK_STORE(j)->log, out);
}

static void
close_store(struct smtpd_journal *j)
{
	struct smtpd_disk_store *store = SMTPD_DISK_STORE(j);

	smtpd__disk_close(store->log);
	smtpd__disk_directory_close(store);
	free(store);
}

static const struct smtpd_journal_ops journal_ops = {
	.replay = replay_log,
	.append = append_records,
	.append_begin = append_begin,
	.append_end = append_end,
	.read = read_record,
	.read_raw = read_raw,
	.release = release_record,
	.is_due_for_relocation = is_due_for_relocation,
	.housekeep = keep_house,
	.directory = directory_of,
	.stats = read_stats,
	.close = close_store,
};

static const struct smtpd_content_ops content_ops = {
	.begin = smtpd__disk_contents_begin,
	.write = smtpd__disk_contents_write,
	.overwrite = smtpd__disk_contents_overwrite,
	.read_back = smtpd__disk_contents_read_back,
	.publish = smtpd__disk_contents_publish,
	.abandon = smtpd__disk_contents_abandon,
	.open = smtpd__disk_contents_open,
	.read_at = smtpd__disk_contents_read_at,
	.close = smtpd__disk_contents_close,
	.remove = smtpd__disk_contents_remove,
	.each = smtpd__disk_contents_each,
	.keep = smtpd__disk_aside_keep,
	.keep_large = smtpd__disk_aside_keep_large,
	.count_kept = smtpd__disk_aside_count_kept,
};

/* A new segment is no more than this part of its disk. */
#define DISK_PORTION 16

/* The size of new segments, unless it was given: smaller on a small disk, where
 * the log has three of them like on any other; and that of the largest group,
 * half a segment, so that little is lost at its end. */
static void
set_sizes(struct smtpd_disk_store *store)
{
	uint32_t segment = store->settings.segment_size;
	struct statvfs disk;

	if (segment == 0) {
		segment = SMTPD_DISK_SEGMENT_DEFAULT;
		if (fstatvfs(store->dir, &disk) == 0)
			while (segment > SMTPD_DISK_SEGMENT_MIN &&
			    segment / disk.f_frsize >
				disk.f_blocks / DISK_PORTION)
				segment /= 2;
		store->settings.segment_size = segment;
	}
	store->journal.group_max = segment / 2 < SMTPD_JOURNAL_GROUP_MAX
	    ? segment / 2
	    : SMTPD_JOURNAL_GROUP_MAX;
}

static struct smtpd_journal *
open_store(const char *location, const struct smtpd_journal_settings *settings,
    char *error, size_t size)
{
	struct smtpd_disk_store *store = calloc(1, sizeof(*store));
	int code;

	if (store == NULL) {
		snprintf(error, size, "out of memory");
		return NULL;
	}
	store->journal.ops = &journal_ops;
	store->journal.contents = &content_ops;
	store->settings = *settings;
	store->dir = store->lock = store->log_dir = store->tmp = -1;
	store->large = store->quarantine = store->dead = -1;
	if (smtpd__disk_directory_open(store, location, error, size) == 0) {
		set_sizes(store);
		return &store->journal;
	}
	code = errno;
	close_store(&store->journal);
	errno = code;
	return NULL;
}

const struct smtpd_journal_engine smtpd__disk_engine = {
	.open = open_store,
};
