/* SPDX-License-Identifier: MIT */
#include "guard.h"

#include <arpa/inet.h>

#include <stdbool.h>
#include <string.h>
#include <strings.h>

#define NAME_MAX_SIZE 256

/* Copy the name, or the address, in HOST without its port to NAME.  Return
 * whether it can be one. */
static bool
split_host(const char *host, char *name)
{
	bool bracket = *host == '[';
	size_t len;

	host += bracket;
	len = strcspn(host, bracket ? "]" : ":");
	if (len == 0 || len >= NAME_MAX_SIZE)
		return false;
	memcpy(name, host, len);
	name[len] = '\0';
	return true;
}

static bool
is_own_name(const char *host, const struct text_list *names)
{
	struct in6_addr address;
	char name[NAME_MAX_SIZE];

	if (host == NULL || !split_host(host, name))
		return false;
	if (inet_pton(AF_INET, name, &address) == 1 ||
	    inet_pton(AF_INET6, name, &address) == 1 ||
	    strcasecmp(name, "localhost") == 0)
		return true;
	for (size_t i = 0; i < names->count; i++) {
		if (strcasecmp(name, names->items[i]) == 0)
			return true;
	}
	return false;
}

static bool
is_own_origin(const char *origin, const char *host)
{
	const char *scheme_end = strstr(origin, "://");

	return scheme_end != NULL && strcasecmp(scheme_end + 3, host) == 0;
}

const char *
guard_refuses(const struct guard_request *r, const struct text_list *names)
{
	bool reads =
	    strcmp(r->method, "GET") == 0 || strcmp(r->method, "HEAD") == 0;
	bool elsewhere = r->fetch_site != NULL &&
	    strcmp(r->fetch_site, "same-origin") != 0 &&
	    strcmp(r->fetch_site, "none") != 0;
	bool navigates =
	    r->fetch_mode != NULL && strcmp(r->fetch_mode, "navigate") == 0;

	if (!is_own_name(r->host, names))
		return "this server is not known by that name: see --web-name";
	if (r->origin != NULL && !is_own_origin(r->origin, r->host))
		return "a page of another origin asks for this";
	/* A link may lead here. */
	if (elsewhere && !(reads && navigates))
		return "another site asks for this";
	return NULL;
}
