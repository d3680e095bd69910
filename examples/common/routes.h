/* SPDX-License-Identifier: MIT */
#ifndef ROUTES_H
#define ROUTES_H

/*
 * The routes of this machine that lead to the Internet, as the kernel tells
 * them over netlink.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The default routes with the lowest metric, by the index of their interface;
 * 0: there is none. */
struct routes {
	struct route_best {
		unsigned index;
		uint32_t metric;
	} v4, v6;
};

/* Take the messages of LEN bytes at DATA, a part of what the kernel answered,
 * into account.  Return whether more is to come. */
bool routes_parse(const void *data, size_t len, struct routes *out);

/* Ask the kernel.  Return 0, or -1 with errno. */
int routes_read(struct routes *out);

#endif
