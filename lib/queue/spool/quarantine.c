/* SPDX-License-Identifier: MIT */
#include "queue/spool/quarantine.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "queue/spool/core.h"

/* Set aside the record of SIZE bytes at REF as NAME, as far as it can be
 * read. */
static int
keep_record(struct smtpd_spool *s, const char *name,
    struct smtpd_record_ref ref, uint32_t size, const char *why)
{
	struct smtpd_journal_raw found = { .missing = size };
	void *memory = smtpd__journal_read_raw(s->journal, ref, size, &found);
	/* Its bytes are read as if they were the content of a message. */
	const struct smtpd_loaded_message raw = {
		.content = memory,
		.size = size,
	};
	char text[256];
	const struct smtpd_content_kept kept = {
		.kind = SMTPD_CONTENT_QUARANTINE,
		.name = name,
		.why = found.missing > 0 ? text : why,
		.read = memory != NULL ? smtpd__loaded_message_read : NULL,
		.user = &raw,
	};
	int status, error;

	if (memory == NULL && errno == ENOMEM)
		return -1;
	snprintf(text, sizeof(text),
	    "%s; %lu of %lu octets could not be read, and are zeros here", why,
	    (unsigned long)found.missing, (unsigned long)size);
	status = smtpd__content_keep(s->journal, &kept);
	error = errno;
	free(memory);
	errno = error;
	return status;
}

int
smtpd__spool_quarantine_message(struct smtpd_spool *s,
    const struct smtpd_queued_message *e, const char *why)
{
	char name[SMTPD_ID_SIZE];
	int status = 0, error;

	if ((e->flags & SMTPD_MESSAGE_LARGE) != 0)
		status = smtpd__content_keep_large(s->journal, e->id, NULL);
	if (status == 0) {
		smtpd__id_write(e->id, name);
		status = keep_record(s, name, e->ref, e->record_size, why);
	}
	if (status == 0)
		return 0;
	error = errno;
	smtpd__logger_write(&s->settings.logger, SMTPD_LOG_WARNING,
	    "a damaged message cannot be moved to quarantine/, and stays");
	errno = error;
	return -1;
}

void
smtpd__spool_quarantine_foreign(struct smtpd_spool *s)
{
	struct smtpd_foreign **at = &s->foreign;

	while (*at != NULL) {
		struct smtpd_foreign *f = *at;
		char name[64];

		/* The two halves of the ref say where it was. */
		snprintf(name, sizeof(name), "record-%lu-%lu",
		    (unsigned long)(f->ref.value & UINT32_MAX),
		    (unsigned long)(f->ref.value >> 32));
		if (keep_record(s, name, f->ref, f->size,
			"a record of the log that cannot be understood: of a "
			"later version, or nonsense") == -1) {
			smtpd__logger_write(&s->settings.logger,
			    SMTPD_LOG_WARNING,
			    "a record cannot be copied to quarantine/: %s",
			    strerror(errno));
			at = &f->next;
			continue;
		}
		smtpd__journal_release(s->journal, 0, f->ref, f->size);
		*at = f->next;
		free(f);
	}
}

int
smtpd__spool_quarantine_dead_letter(struct smtpd_spool *s,
    const struct smtpd_loaded_message *loaded, const char *why, uint64_t *count)
{
	char name[SMTPD_ID_SIZE];
	const struct smtpd_content_kept kept = {
		.kind = SMTPD_CONTENT_DEAD_LETTER,
		.name = name,
		.why = why,
		.read = smtpd__loaded_message_read,
		.user = loaded,
	};

	smtpd__id_write(loaded->id, name);
	if (smtpd__content_keep(s->journal, &kept) == -1)
		return -1;
	*count =
	    smtpd__content_count_kept(s->journal, SMTPD_CONTENT_DEAD_LETTER);
	return 0;
}
