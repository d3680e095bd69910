/* SPDX-License-Identifier: MIT */
#include "maildir/synced.h"

#include <stdbool.h>
#include <string.h>
#include <time.h>

#include "os/commit.h"

/* How long the thread or process that makes a Maildir may take to make it
 * durable, in seconds. */
#define YOUNG 600

void
smtpd__maildir_synced_init(struct smtpd_maildir_synced *s)
{
	memset(s, 0, sizeof(*s));
	pthread_mutex_init(&s->lock, NULL);
}

void
smtpd__maildir_synced_finish(struct smtpd_maildir_synced *s)
{
	pthread_mutex_destroy(&s->lock);
}

int
smtpd__maildir_synced_see_to(struct smtpd_maildir_synced *s, int dir)
{
	struct smtpd_maildir_synced_entry *e;
	struct stat st;
	bool synced;

	if (fstat(dir, &st) == -1)
		return -1;
	/* A clock that was set back makes it young as well. */
	if (st.st_mtime < time(NULL) - YOUNG)
		return 0;
	e = &s->entries[(size_t)st.st_ino % SMTPD_MAILDIR_SYNCED_MAX];
	pthread_mutex_lock(&s->lock);
	synced = e->dev == st.st_dev && e->ino == st.st_ino &&
	    e->changed.tv_sec == st.st_mtim.tv_sec &&
	    e->changed.tv_nsec == st.st_mtim.tv_nsec;
	pthread_mutex_unlock(&s->lock);
	if (synced)
		return 0;
	if (smtpd__commit_directory(dir) == -1)
		return -1;
	pthread_mutex_lock(&s->lock);
	*e = (struct smtpd_maildir_synced_entry){
		.dev = st.st_dev,
		.ino = st.st_ino,
		.changed = st.st_mtim,
	};
	pthread_mutex_unlock(&s->lock);
	return 0;
}
