/* SPDX-License-Identifier: MIT */
#ifndef AUTHOR_H
#define AUTHOR_H

/*
 * Whom a message says that it is from, in its fields From and Sender: readers
 * see these, and not the sender of the envelope.
 */

#include <stddef.h>

#include <smtpd/body.h>

#include "accounts.h"

/* What is wrong with the fields. */
enum author_fault {
	AUTHOR_RIGHT,    /* all addresses in them are the user's */
	AUTHOR_FOREIGN,  /* one is not */
	AUTHOR_SYNTAX,   /* a field cannot be read */
	AUTHOR_TOO_LONG, /* a field may stand behind what can be looked at */
	AUTHOR_MEMORY,
};

/* The address, or the field, that is wrong. */
#define AUTHOR_WHAT_SIZE 512

/* The octets that lines of a message may have at most, so that a header of
 * which only a part was given is told from a short one. */
#define AUTHOR_LINE_MAX (SMTPD_BODY_HEADER_MAX / 2)

/*
 * Check the fields in LEN bytes of HEADER, as smtpd_body_header() gives it, of
 * a message that USER sends; write what is wrong to WHAT.  A header without
 * such fields says nothing wrong.
 */
enum author_fault author_check(struct accounts *accounts, const char *user,
    const char *header, size_t len, char what[AUTHOR_WHAT_SIZE]);

#endif
