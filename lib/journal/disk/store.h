/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_JOURNAL_DISK_STORE_H
#define SMTPD_JOURNAL_DISK_STORE_H

/*
 * What the disk engine opens: a directory with
 *
 *	lock         held by the process that has it open (flock)
 *	log/         the log (disk.h)
 *	large/       contents, one file each, named by id
 *	tmp/         contents while they come in; emptied at start
 *	quarantine/  what was damaged, each with the reason in a file beside it
 *	dead/        reports that nobody takes, likewise
 */

#include <stdatomic.h>

#include "base/container.h"
#include "journal/content.h"
#include "journal/disk/disk.h"

struct smtpd_disk_store {
	struct smtpd_journal journal;
	struct smtpd_journal_settings settings;
	struct smtpd_disk *log; /* NULL: it was not replayed yet */
	uint32_t due;           /* the segment that is to be emptied; 0: none */

	/* Of the replay that is under way. */
	smtpd_journal_replay_fn *replay;
	void *replay_user;

	_Atomic uint64_t files; /* made in tmp/ */

	/* Descriptors; -1: none. */
	int dir;
	int lock;
	int log_dir;
	int tmp;
	int large;
	int quarantine;
	int dead;
};

#define SMTPD_DISK_STORE(j) \
	SMTPD_CONTAINER_OF(j, struct smtpd_disk_store, journal)

#endif
