/* SPDX-License-Identifier: MIT */
#include "journal/journal.h"

#include <errno.h>
#include <stdlib.h>

/* An append of R ended with errno.  If it is not known what came of it, ask the
 * store.  Return as smtpd__journal_append(). */
static int
ask_what_came(struct smtpd_journal *j, const struct smtpd_journal_record *r)
{
	struct smtpd_journal_record found;
	const void *body;
	void *memory;

	if (errno != ECONNABORTED)
		return -1;
	memory = smtpd__journal_read(j, r->ref, &found, &body);
	if (memory == NULL) {
		errno = errno == ENOENT ? EIO : ECONNABORTED;
		return -1;
	}
	free(memory);
	return 0;
}

struct smtpd_journal *
smtpd__journal_open(const struct smtpd_journal_engine *engine,
    const char *location, const struct smtpd_journal_settings *settings,
    char *error, size_t size)
{
	return engine->open(location, settings, error, size);
}

void
smtpd__journal_close(struct smtpd_journal *j)
{
	if (j != NULL)
		j->ops->close(j);
}

int
smtpd__journal_replay(struct smtpd_journal *j, smtpd_journal_replay_fn *fn,
    void *user, char *error, size_t size)
{
	return j->ops->replay(j, fn, user, error, size);
}

int
smtpd__journal_append(struct smtpd_journal *j,
    struct smtpd_journal_record *records, size_t n, unsigned flags)
{
	if (j->ops->append(j, records, n, flags) == 0)
		return 0;
	return ask_what_came(j, records);
}

int
smtpd__journal_append_begin(struct smtpd_journal *j,
    struct smtpd_journal_record *records, size_t n, unsigned flags,
    struct smtpd_journal_promise *promise)
{
	return j->ops->append_begin(j, records, n, flags, promise);
}

int
smtpd__journal_append_end(
    struct smtpd_journal *j, struct smtpd_journal_promise *promise)
{
	if (j->ops->append_end(j, promise) == 0)
		return 0;
	return ask_what_came(j, promise->records);
}

void *
smtpd__journal_read(struct smtpd_journal *j, struct smtpd_record_ref ref,
    struct smtpd_journal_record *record, const void **body)
{
	return j->ops->read(j, ref, record, body);
}

void *
smtpd__journal_read_raw(
    struct smtpd_journal *j, struct smtpd_record_ref ref, uint32_t size)
{
	return j->ops->read_raw(j, ref, size);
}

void
smtpd__journal_release(struct smtpd_journal *j, uint64_t subject,
    struct smtpd_record_ref ref, uint32_t size)
{
	j->ops->release(j, subject, ref, size);
}

bool
smtpd__journal_is_due_for_relocation(
    struct smtpd_journal *j, struct smtpd_record_ref ref)
{
	return j->ops->is_due_for_relocation(j, ref);
}

int
smtpd__journal_housekeep(struct smtpd_journal *j)
{
	return j->ops->housekeep(j);
}

int
smtpd__journal_directory(struct smtpd_journal *j)
{
	return j->ops->directory(j);
}

void
smtpd__journal_stats(struct smtpd_journal *j, struct smtpd_journal_stats *out)
{
	j->ops->stats(j, out);
}
