/* SPDX-License-Identifier: MIT */
#ifndef ADDRESS_LIST_H
#define ADDRESS_LIST_H

/*
 * The addresses in a field of a header (RFC 5322, 3.4), or in a word of the
 * command line: with names, comments, groups, quoted strings and routes, also
 * in their obsolete forms.
 */

#include <stddef.h>

#include "text_list.h"

/*
 * Append to OUT each address among LEN bytes at TEXT: local@domain, or a local
 * part alone where there is no domain; without comments and white space. "<>"
 * is appended as "".  Return 0, or -1 with errno: EINVAL where TEXT is not a
 * list of addresses (what stood before it may have been appended), or ENOMEM.
 */
int address_list_parse(const char *text, size_t len, struct text_list *out);

/* The same, but what is no address goes to BAD, as it stands there, and the
 * rest is parsed.  Return 0, or -1 with errno ENOMEM. */
int address_list_parse_each(
    const char *text, size_t len, struct text_list *out, struct text_list *bad);

#endif
