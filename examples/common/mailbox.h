/* SPDX-License-Identifier: MIT */
#ifndef MAILBOX_H
#define MAILBOX_H

/*
 * The pattern of paths that says where the Maildir of a user is.
 */

#include <stdbool.h>
#include <stddef.h>

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

/* Write the path of the Maildir of USER at DOMAIN to BUF of SIZE bytes.  Return
 * 0, or -1 when it does not fit. */
int mailbox_path(const struct mailbox_pattern *p, const char *user,
    const char *domain, char *buf, size_t size);

#endif
