/* SPDX-License-Identifier: MIT */
#include "maildir/target.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include "os/commit.h"
#include "os/fd.h"

/* How often, and how far apart, removing a copy waits for a descriptor. */
#define OPEN_TRIES   100
#define OPEN_WAIT_MS 20

int
smtpd__maildir_target_enter(struct smtpd_maildir_target *t)
{
	if (t->dirs.dir >= 0)
		return 0;
	return smtpd__maildir_dirs_open(&t->dirs, t->path, t->root_len);
}

void
smtpd__maildir_target_leave(
    struct smtpd_maildir_message *m, struct smtpd_maildir_target *t)
{
	if (t != &m->targets[m->lead])
		smtpd__maildir_dirs_close(&t->dirs);
}

/* Open the directory where the copy of T is, once there are descriptors again:
 * without it the copy would stay. */
static int
open_place(const struct smtpd_maildir_target *t)
{
	const char *part = t->published ? "new" : "tmp";

	for (int i = 0;; i++) {
		int dir = smtpd__maildir_dirs_walk(
		    t->path, t->root_len, smtpd__maildir_dirs_step);
		int place = -1;

		if (dir >= 0)
			place = smtpd__maildir_dirs_step(dir, part);
		smtpd__fd_close(dir);
		if (place >= 0 || i == OPEN_TRIES ||
		    (errno != EMFILE && errno != ENFILE))
			return place;
		poll(NULL, 0, OPEN_WAIT_MS);
	}
}

void
smtpd__maildir_target_remove(struct smtpd_maildir_target *t)
{
	if (t->staged || t->published) {
		bool is_open = t->dirs.dir >= 0;
		int place = t->published ? t->dirs.new : t->dirs.tmp;

		if (!is_open)
			place = open_place(t);
		if (place >= 0)
			unlinkat(place, t->name, 0);
		if (place >= 0 && t->published)
			smtpd__commit_directory(place);
		if (!is_open)
			smtpd__fd_close(place);
	}
	t->staged = t->published = false;
	smtpd__maildir_dirs_close(&t->dirs);
}

void
smtpd__maildir_target_drop(struct smtpd_maildir_message *m, size_t i)
{
	m->targets[i].dropped = true;
	if (i != m->lead || m->spool == -1)
		smtpd__maildir_target_remove(&m->targets[i]);
}

size_t
smtpd__maildir_target_first(const struct smtpd_maildir_message *m)
{
	size_t i = 0;

	while (i < m->ntargets && m->targets[i].dropped)
		i++;
	return i;
}

bool
smtpd__maildir_target_spare(struct smtpd_maildir_message *m, size_t i)
{
	int error = errno;
	bool spared = m->failed != NULL && m->failed(m->failed_user, i, error);

	if (spared)
		smtpd__maildir_target_drop(m, i);
	errno = error;
	return spared && smtpd__maildir_target_first(m) < m->ntargets;
}

int
smtpd__maildir_target_each(struct smtpd_maildir_message *m,
    int (*step)(struct smtpd_maildir_message *, struct smtpd_maildir_target *))
{
	for (size_t i = 0; i < m->ntargets; i++) {
		struct smtpd_maildir_target *t = &m->targets[i];
		int result;

		if (t->dropped)
			continue;
		result = smtpd__maildir_target_enter(t);
		if (result == 0)
			result = step(m, t);
		smtpd__maildir_target_leave(m, t);
		if (result == -1 && !smtpd__maildir_target_spare(m, i))
			return -1;
	}
	return 0;
}
