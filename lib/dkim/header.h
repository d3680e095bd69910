/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_DKIM_HEADER_H
#define SMTPD_DKIM_HEADER_H

/*
 * The header of a message that is signed: the fields of the list in their
 * canonical form, which of them a signature names, and in which order (RFC
 * 6376, 5.4.2).
 */

#include "base/pack.h"
#include "base/sink.h"
#include "dkim/field_list.h"
#include "grammar/dkim_canon.h"
#include "grammar/fields.h"

/* Octets of canonical fields that are kept of a header, and how often one of
 * them may occur; what has more is not signed. */
#define SMTPD_DKIM_HEADER_MAX 1048576
#define SMTPD_DKIM_TIMES_MAX  1000

struct smtpd_dkim_header {
	const struct smtpd_dkim_field_list *list;
	struct smtpd_dkim_field canon;
	struct smtpd_pack text;  /* the fields, each ended by CRLF */
	struct smtpd_pack found; /* struct smtpd_dkim_header_field */
	bool keeping;            /* the field that comes in is of the list */
	const char *fault; /* why it cannot be signed, a sentence; or NULL */
	unsigned times[SMTPD_DKIM_FIELDS_MAX];
};

/* A field that was found. */
struct smtpd_dkim_header_field {
	size_t name; /* its index in the list */
	size_t begin, len;
};

/* Begin a header of which the fields of LIST matter. */
void smtpd__dkim_header_init(
    struct smtpd_dkim_header *h, const struct smtpd_dkim_field_list *list);

/* Look at the next piece of the message, as smtpd__fields_next() divides it,
 * SMTPD_FIELDS_END as the last.  Return 0, or -1 without memory. */
int smtpd__dkim_header_add(
    struct smtpd_dkim_header *h, const struct smtpd_piece *p);

/* The value of the Ith From field, counted from the top, of *LEN bytes; NULL:
 * there are less. */
const char *smtpd__dkim_header_from(
    const struct smtpd_dkim_header *h, size_t i, size_t *len);

/* Call NAME with USER for each entry of h=, in its order.  Return 0, or -1 once
 * NAME did. */
int smtpd__dkim_header_names(const struct smtpd_dkim_header *h,
    int (*name)(void *user, const char *text), void *user);

/* Write what h= names, in that order, to SINK with USER.  Return 0, or -1 once
 * SINK did. */
int smtpd__dkim_header_write(
    const struct smtpd_dkim_header *h, smtpd_sink_fn *sink, void *user);

void smtpd__dkim_header_finish(struct smtpd_dkim_header *h);

#endif
