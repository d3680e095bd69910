/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_SERVER_FILTER_RUN_H
#define SMTPD_SERVER_FILTER_RUN_H

/*
 * A message on its way through the filters: copied while the first sees it, and
 * read from the copy, with what they have changed, by those behind and by the
 * delivery callback.
 */

#include "grammar/header_list.h"
#include "server/body.h"
#include "server/body_source.h"
#include "server/message_copy.h"
#include "server/session_state.h"

struct smtpd_filter_run {
	struct smtpd_session *s;
	struct smtpd_body_source *from; /* of the message */
	struct smtpd_message_copy copy;
	struct smtpd_message_copy body;  /* that replaces the message's */
	bool replaced;                   /* there is one */
	struct smtpd_message_copy next;  /* that the filter gives at present */
	bool replacing;                  /* it does */
	struct smtpd_header_list header; /* fields that were added on top; or,
	                                  * once it is loaded, all */
	bool loaded;
	uint64_t body_at; /* octets of the copy that header stands for */
	bool ending;      /* the filter has seen the whole message */
	bool discarded;   /* a filter wants the message to be dropped */
	int error;        /* of the copy; 0: none */

	struct smtpd_body_source copying; /* what the first filter reads */
	struct smtpd_body_source changed; /* what the others do, and where */
	size_t item, item_at;             /* in the header */
	bool gap;    /* an empty line is due behind the fields */
	uint64_t at; /* in the copy, or in the new body */
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

/* Let R->header have all fields, which is for a filter that has seen the whole
 * message.  Return 0, or -1 with errno: EMSGSIZE when the header is longer than
 * what is kept in memory, ENOMEM. */
int smtpd__filter_run_load(struct smtpd_filter_run *r);

/* As smtpd__header_list_insert(), while the message is read or not. */
int smtpd__filter_run_insert(struct smtpd_filter_run *r, size_t at,
    const char *name, const char *blank, const char *value);

/* Let LEN bytes at DATA be the message's body, behind those that were given
 * before.  Return 0, or -1 with errno. */
int smtpd__filter_run_replace(
    struct smtpd_filter_run *r, const void *data, size_t len);

/* Forget what this filter gave for a body. */
void smtpd__filter_run_keep_body(struct smtpd_filter_run *r);

/* Refuse the message if it could not be copied, or its copy not be read. */
void smtpd__filter_run_check(struct smtpd_filter_run *r);

/* Free what R holds. */
void smtpd__filter_run_finish(struct smtpd_filter_run *r);

#endif
