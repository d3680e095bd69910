/* SPDX-License-Identifier: MIT */
#ifndef MAILBOX_H
#define MAILBOX_H

/*
 * The pattern of paths that says where the Maildir of a user is.
 */

#include <stdbool.h>
#include <stddef.h>

#include "users.h"

struct mailbox_pattern {
	const char *text;
	size_t root_len; /* of the part that stands before the first component
	                  * with a "%": the root, which is never made */
	bool by_domain;  /* a user has one for each domain */
};

/*
 * Check TEXT, in which %u is the user, %d the domain and %% a "%", and set OUT,
 * which shares it.  Return NULL, or the reason why TEXT is wrong.
 */
const char *mailbox_parse(const char *text, struct mailbox_pattern *out);

/* Write the root to BUF of SIZE bytes.  Return 0, or -1 if it does not fit. */
int mailbox_root(const struct mailbox_pattern *p, char *buf, size_t size);

/* Owner I of OWNERS as P tells them apart: without the domain where a user has
 * one Maildir for all. */
struct owner mailbox_owner(
    const struct mailbox_pattern *p, const struct owners *owners, size_t i);

/* Write the path of OWNER's Maildir to BUF of SIZE bytes.  Return 0, or -1 when
 * it does not fit. */
int mailbox_path(const struct mailbox_pattern *p, const struct owner *owner,
    char *buf, size_t size);

#endif
