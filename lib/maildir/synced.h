/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_MAILDIR_SYNCED_H
#define SMTPD_MAILDIR_SYNCED_H

/*
 * Which of the Maildirs that changed a short time ago this process has made
 * durable since, so that it does so once and not for each message.
 */

#include <sys/stat.h>

#include <pthread.h>

/* One Maildir as it was when it was synced. */
struct smtpd_maildir_synced_entry {
	dev_t dev;
	ino_t ino;
	struct timespec changed;
};

#define SMTPD_MAILDIR_SYNCED_MAX 256

/* What is not remembered is synced again. */
struct smtpd_maildir_synced {
	pthread_mutex_t lock;
	struct smtpd_maildir_synced_entry entries[SMTPD_MAILDIR_SYNCED_MAX];
};

void smtpd__maildir_synced_init(struct smtpd_maildir_synced *s);
void smtpd__maildir_synced_finish(struct smtpd_maildir_synced *s);

/* Make the names in the Maildir DIR durable, unless it did not change for long,
 * or was synced since.  Return 0, or -1 with errno.  Any thread. */
int smtpd__maildir_synced_see_to(struct smtpd_maildir_synced *s, int dir);

#endif
