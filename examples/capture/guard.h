/* SPDX-License-Identifier: MIT */
#ifndef GUARD_H
#define GUARD_H

/*
 * Which requests are answered: those of the page, and of programs that are no
 * browsers.  Other pages in the same browser, and mail that is shown, must not
 * read or change anything, by whatever name they call this server.
 */

#include "text_list.h"

/* The header fields of a request that matter; each may be NULL. */
struct guard_request {
	const char *method;
	const char *host;
	const char *origin;
	const char *fetch_site; /* Sec-Fetch-Site */
	const char *fetch_mode; /* Sec-Fetch-Mode */
};

/*
 * Why REQUEST is not to be answered; NULL: it is.  The server may be called by
 * an IP address, as localhost, or as one of NAMES: a site could let another
 * name of its own lead here (DNS rebinding).
 */
const char *guard_refuses(
    const struct guard_request *request, const struct text_list *names);

#endif
