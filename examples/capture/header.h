/* SPDX-License-Identifier: MIT */
#ifndef HEADER_H
#define HEADER_H

/*
 * The header of a message, field by field, as it stands there: decoded, but in
 * its order and complete.
 */

#include <glib.h>

#include <stdbool.h>
#include <stddef.h>

/* Where reading is. */
struct header {
	const char *at;
	size_t left;
};

/* Begin to read the header of a message of SIZE octets.  What is beyond its
 * first 256 KiB is left out: hosts take less. */
struct header header_begin(const char *octets, size_t size);

/* One field, to be freed by header_field_finish(). */
struct header_field {
	char *name;
	char *raw;   /* the value, unfolded */
	char *value; /* that, with encoded words decoded (RFC 2047); UTF-8 */
};

/* Read the next field into FIELD.  Return whether there was one. */
bool header_next(struct header *header, struct header_field *field);

void header_field_finish(struct header_field *field);

/* The value of the first field NAME in SIZE octets of a message, "" where there
 * is none.  To be freed. */
char *header_value(const char *octets, size_t size, const char *name);

/* Append the addresses in all fields NAME to LIST, each to be freed. */
void header_addresses(
    const char *octets, size_t size, const char *name, GPtrArray *list);

#endif
