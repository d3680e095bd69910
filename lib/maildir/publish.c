/* SPDX-License-Identifier: MIT */
#include "maildir/publish.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "os/commit.h"

/* Move the file of T to new/.  Its name stays, with the size added. */
static int
publish_copy(struct smtpd_maildir_message *m, struct smtpd_maildir_target *t)
{
	int64_t size = (int64_t)(m->written + m->body + t->header_len);
	struct smtpd_text text;
	char name[SMTPD_MAILDIR_NAME_SIZE];

	smtpd__text_init(&text, name, sizeof(name));
	smtpd__text_format(
	    &text, "new/%s,S=%" PRId64, t->name + strlen("tmp/"), size);
	for (int i = 0; i < SMTPD_MAILDIR_NAME_TRIES; i++) {
		if (smtpd__commit_move(t->dir, t->name, t->dir, name) == 0) {
			memcpy(t->name, name, sizeof(name));
			t->staged = false;
			t->published = true;
			return 0;
		}
		if (errno != EEXIST)
			break;
		smtpd__maildir_name_make(m->names, "new", size, name);
	}
	return -1;
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
		if (smtpd__commit_directory(m->targets[i].new_dir) == -1)
			return -1;
	return 0;
}

void
smtpd__maildir_publish_undo(struct smtpd_maildir_message *m)
{
	for (size_t i = 0; i < m->ntargets; i++) {
		struct smtpd_maildir_target *t = &m->targets[i];

		if (t->staged || t->published)
			unlinkat(t->dir, t->name, 0);
		if (t->published)
			smtpd__commit_directory(t->new_dir);
	}
}
