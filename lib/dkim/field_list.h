/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_DKIM_FIELD_LIST_H
#define SMTPD_DKIM_FIELD_LIST_H

/* The header fields that a signer signs, from their list. */

#include <stdbool.h>
#include <stddef.h>

#define SMTPD_DKIM_FIELDS_MAX     64
#define SMTPD_DKIM_FIELD_NAME_MAX 76 /* octets, so that no line is longer */

struct smtpd_dkim_field_list {
	size_t count;
	struct {
		char name[SMTPD_DKIM_FIELD_NAME_MAX + 1]; /* as it was given */
		bool once_more; /* signed once more than it occurs */
	} at[SMTPD_DKIM_FIELDS_MAX];
};

/* Read TEXT, as smtpd_dkim_set_fields() has it.  Return NULL, or what is wrong
 * with it; then OUT is of no use. */
const char *smtpd__dkim_field_list_parse(
    const char *text, struct smtpd_dkim_field_list *out);

/* The index of the field NAME of LEN bytes, in any case of letters; the count
 * when it is not there. */
size_t smtpd__dkim_field_list_find(
    const struct smtpd_dkim_field_list *list, const char *name, size_t len);

#endif
