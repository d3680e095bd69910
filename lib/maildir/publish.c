/* SPDX-License-Identifier: MIT */
#include "maildir/publish.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/text.h"
#include "os/commit.h"

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

/* Make the name of the copy of T durable, and that of new/ itself where the
 * thread that made it may not have come to that yet. */
static int
sync_copy(struct smtpd_maildir_message *m, struct smtpd_maildir_target *t)
{
	if (smtpd__maildir_synced_see_to(m->synced, t->dirs.dir) == -1)
		return -1;
	return smtpd__commit_directory(t->dirs.new);
}

/* Each new/ is synced after everything was moved: the first of these often
 * commits the others. */
int
smtpd__maildir_publish_all(struct smtpd_maildir_message *m)
{
	if (smtpd__maildir_target_each(m, move_copy) == -1)
		return -1;
	return smtpd__maildir_target_each(m, sync_copy);
}
