/* SPDX-License-Identifier: MIT */
#include "queue/spool/add.h"

#include "queue/spool/addition.h"

int
smtpd__spool_add(struct smtpd_spool *s, const struct smtpd_spool_mail *mail,
    struct smtpd_queued_message **message)
{
	struct smtpd_journal_record record;
	struct smtpd_addition a;

	*message = NULL;
	if (smtpd__addition_begin(s, mail, &a) == -1)
		return -1;
	smtpd__addition_record(&a, &record);
	if (smtpd__journal_append(s->journal, &record, 1, 0) == -1) {
		smtpd__addition_cancel(s, &a);
		return -1;
	}
	*message = smtpd__addition_finish(s, &a, &record);
	return 0;
}
