/* SPDX-License-Identifier: MIT */
#include "maildir/publish.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "os/commit.h"
#include "os/fd.h"

/* How often, and how far apart, removing a copy waits for a descriptor. */
#define OPEN_TRIES   100
#define OPEN_WAIT_MS 20

/* Move the file of T to new/.  Its name stays, with the size added. */
static int
move_copy(struct smtpd_maildir_message *m, struct smtpd_maildir_target *t)
{
	int64_t size = (int64_t)(m->written + m->body + t->header_len);
	struct smtpd_text text;
	char name[SMTPD_MAILDIR_NAME_SIZE];

	smtpd__text_init(&text, name, sizeof(name));
	smtpd__text_format(&text, "%s,S=%" PRId64, t->name, size);
	for (int i = 0; i < SMTPD_MAILDIR_NAME_TRIES; i++) {
		if (smtpd__commit_move(
			t->dirs.tmp, t->name, t->dirs.new, name) == 0) {
			memcpy(t->name, name, sizeof(name));
			t->staged = false;
			t->published = true;
			return 0;
		}
		if (errno != EEXIST)
			break;
		smtpd__maildir_name_make(m->names, size, name);
	}
	return -1;
}

static int
publish_copy(struct smtpd_maildir_message *m, struct smtpd_maildir_target *t)
{
	int result = smtpd__maildir_stage_enter(t);

	if (result == 0)
		result = move_copy(m, t);
	smtpd__maildir_stage_leave(m, t);
	return result;
}

/* Make the name of the copy of T durable, and that of new/ itself where the
 * thread that made it may not have come to that yet. */
static int
sync_copy(struct smtpd_maildir_message *m, struct smtpd_maildir_target *t)
{
	int result = smtpd__maildir_stage_enter(t);

	if (result == 0)
		result = smtpd__maildir_synced_see_to(m->synced, t->dirs.dir);
	if (result == 0)
		result = smtpd__commit_directory(t->dirs.new);
	smtpd__maildir_stage_leave(m, t);
	return result;
}

/* Each new/ is synced after everything was moved: the first of these often
 * commits the others. */
int
smtpd__maildir_publish_all(struct smtpd_maildir_message *m)
{
	for (size_t i = 0; i < m->ntargets; i++)
		if (publish_copy(m, &m->targets[i]) == -1)
			return -1;
	for (size_t i = 0; i < m->ntargets; i++)
		if (sync_copy(m, &m->targets[i]) == -1)
			return -1;
	return 0;
}

/* Open the directory where the copy of T is, once there are descriptors again:
 * without it the copy would stay. */
static int
open_place(const struct smtpd_maildir_target *t)
{
	const char *part = t->published ? "new" : "tmp";

	for (int i = 0;; i++) {
		int dir = smtpd__maildir_dirs_walk(t->path, t->root_len);
		int place = -1;

		if (dir >= 0)
			place = smtpd__maildir_dirs_step(dir, part, 3);
		smtpd__fd_close(dir);
		if (place >= 0 || i == OPEN_TRIES ||
		    (errno != EMFILE && errno != ENFILE))
			return place;
		poll(NULL, 0, OPEN_WAIT_MS);
	}
}

/* Remove the copy of T from PLACE, the directory where it is. */
static void
remove_copy(const struct smtpd_maildir_target *t, int place)
{
	if (place == -1)
		return;
	unlinkat(place, t->name, 0);
	if (t->published)
		smtpd__commit_directory(place);
}

void
smtpd__maildir_publish_undo(struct smtpd_maildir_message *m)
{
	for (size_t i = 0; i < m->ntargets; i++) {
		struct smtpd_maildir_target *t = &m->targets[i];
		int place;

		if (!t->staged && !t->published)
			continue;
		if (t->dirs.dir >= 0) {
			remove_copy(
			    t, t->published ? t->dirs.new : t->dirs.tmp);
			smtpd__maildir_dirs_close(&t->dirs);
			continue;
		}
		place = open_place(t);
		remove_copy(t, place);
		smtpd__fd_close(place);
	}
}
