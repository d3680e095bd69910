/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_SERVER_FILTER_RUN_H
#define SMTPD_SERVER_FILTER_RUN_H

/*
 * A message on its way through the filters: copied while the first sees it, and
 * read from the copy, with what they have changed, by those behind and by the
 * delivery callback.
 */

#include "server/body.h"
#include "server/body_source.h"
#include "server/message_copy.h"
#include "server/session_state.h"

/* A field that was added on top, in memory of the transaction. */
struct smtpd_added_field {
	const struct smtpd_added_field *below;
	size_t len;
	char text[]; /* with line ends */
};

struct smtpd_filter_run {
	struct smtpd_session *s;
	struct smtpd_body_source *from; /* of the message */
	struct smtpd_message_copy copy;
	bool headless; /* it begins without a header */
	const struct smtpd_added_field *top;
	int error; /* of the copy; 0: none */

	struct smtpd_body_source copying; /* what the first filter reads */
	struct smtpd_body_source changed; /* what the others do, and where */
	const struct smtpd_added_field *field;
	size_t field_at;
	bool gap; /* an empty line is due behind the fields */
	uint64_t copy_at;
};

/* Begin with the message of S that FROM gives. */
void smtpd__filter_run_begin(struct smtpd_filter_run *r,
    struct smtpd_session *s, struct smtpd_body_source *from);

/* The source for reader I, counted from 0: before the second one reads, the
 * first has read to the end. */
struct smtpd_body_source *smtpd__filter_run_source(
    struct smtpd_filter_run *r, size_t i);

/* Show filter F the message BODY, and let the reply refuse it if F does. */
void smtpd__filter_run_show(struct smtpd_filter_run *r,
    const struct smtpd_filter *f, struct smtpd_body *body);

/* Refuse the message if it could not be copied, or its copy not be read. */
void smtpd__filter_run_check(struct smtpd_filter_run *r);

/* Free what R holds. */
void smtpd__filter_run_finish(struct smtpd_filter_run *r);

#endif
