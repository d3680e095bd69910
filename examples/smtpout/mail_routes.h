/* SPDX-License-Identifier: MIT */
#ifndef MAIL_ROUTES_H
#define MAIL_ROUTES_H

/* Routes of mail, as options and a file have them:
 * PATTERN=TARGET[,TARGET]... */

#include <stddef.h>

#include <smtpd/route.h>

#include "logins.h"
#include "text_list.h"

/* All zero: none. */
struct mail_routes {
	struct mail_route **items;
	size_t count;
	struct smtpd_route *list; /* COUNT of them, for the library */
};

/*
 * Read the routes of OPTIONS, and then those of FILE, if it is not NULL, one a
 * line, with "#" in front of comments.  LOGINS, which must live as long, has
 * the passwords and tokens of users at hosts.  Return 0, or an exit status with
 * the reason, the option or the file and its line before it, in WHY of SIZE
 * bytes.  To be finished in any case.
 */
int mail_routes_read(struct mail_routes *r, const struct text_list *options,
    const char *file, struct logins *logins, char *why, size_t size);

/* Put a route of PATTERN to TARGET before all others.  Return 0, or -1 without
 * memory. */
int mail_routes_put_first(struct mail_routes *r, const char *pattern,
    const struct smtpd_route_target *target);

/* Free what R holds. */
void mail_routes_finish(struct mail_routes *r);

#endif
