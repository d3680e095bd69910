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

int
smtpd__journal_append(struct smtpd_journal *j,
    struct smtpd_journal_record *records, size_t n, unsigned flags)
{
	if (j->ops->append(j, records, n, flags) == 0)
		return 0;
	return ask_what_came(j, records);
}

int
smtpd__journal_append_end(
    struct smtpd_journal *j, struct smtpd_journal_promise *promise)
{
	if (j->ops->append_end(j, promise) == 0)
		return 0;
	return ask_what_came(j, promise->records);
}
