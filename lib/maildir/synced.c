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

static struct smtpd_maildir_synced_entry *
entry_of(struct smtpd_maildir_synced *s, const struct stat *st)
{
	return &s->entries[(size_t)st->st_ino % SMTPD_MAILDIR_SYNCED_MAX];
}

static bool
is_synced(struct smtpd_maildir_synced *s, const struct stat *st)
{
	const struct smtpd_maildir_synced_entry *e = entry_of(s, st);
	bool same;

	pthread_mutex_lock(&s->lock);
	same = e->dev == st->st_dev && e->ino == st->st_ino &&
	    e->changed.tv_sec == st->st_mtim.tv_sec &&
	    e->changed.tv_nsec == st->st_mtim.tv_nsec;
	pthread_mutex_unlock(&s->lock);
	return same;
}

static void
mark_synced(struct smtpd_maildir_synced *s, const struct stat *st)
{
	pthread_mutex_lock(&s->lock);
	*entry_of(s, st) = (struct smtpd_maildir_synced_entry){
		.dev = st->st_dev,
		.ino = st->st_ino,
		.changed = st->st_mtim,
	};
	pthread_mutex_unlock(&s->lock);
}

int
smtpd__maildir_synced_see_to(struct smtpd_maildir_synced *s, int dir)
{
	struct stat st;

	if (fstat(dir, &st) == -1)
		return -1;
	/* A clock that was set back makes it young as well. */
	if (st.st_mtime < time(NULL) - YOUNG || is_synced(s, &st))
		return 0;
	if (smtpd__commit_directory(dir) == -1)
		return -1;
	mark_synced(s, &st);
	return 0;
}
