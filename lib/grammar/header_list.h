/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_GRAMMAR_HEADER_LIST_H
#define SMTPD_GRAMMAR_HEADER_LIST_H

/*
 * The fields of a header as a list, so that they can be changed one by one:
 * those of a message stay byte for byte as they came, and new ones stand among
 * them.
 */

#include <stddef.h>

/* One field with its line ends. */
struct smtpd_header_item {
	const char *text;
	size_t len;
	char *own; /* memory of the text; NULL: it belongs to a message */
};

/* All zero: no field. */
struct smtpd_header_list {
	struct smtpd_header_item *items; /* from the top */
	size_t count;
	size_t room;
};

/* Append the fields that LEN octets at TEXT begin with, which must last as long
 * as L.  Return their octets, or -1 without memory. */
long smtpd__header_list_load(
    struct smtpd_header_list *l, const char *text, size_t len);

/*
 * Insert a field before item AT, or behind all: NAME, a colon, and behind that
 * BLANK and VALUE.  A line end in VALUE, LF or CRLF, folds the field, and is
 * dropped at its end; a tab is put behind it unless a space or a tab is there.
 * Return 0, or -1 with errno: EINVAL when NAME is no name of a field (RFC 5322,
 * 2.2), or VALUE has another control byte than HT; ENOMEM.
 */
int smtpd__header_list_insert(struct smtpd_header_list *l, size_t at,
    const char *name, const char *blank, const char *value);

/* The place of field I, counted from 0, of those called NAME in any case of
 * letters; the count of all when there are fewer. */
size_t smtpd__header_list_find(
    const struct smtpd_header_list *l, const char *name, size_t i);

/* Remove item AT. */
void smtpd__header_list_remove(struct smtpd_header_list *l, size_t at);

/* Free what L holds; it is as at first. */
void smtpd__header_list_finish(struct smtpd_header_list *l);

#endif
