/* SPDX-License-Identifier: MIT */
#ifndef INTERFACE_H
#define INTERFACE_H

/*
 * Network interfaces: which one leads to the Internet, and their addresses.
 */

#include "text_list.h"

/* Append to LIST the interfaces of the default routes with the lowest metric,
 * that of IPv4 and, if it is another one, that of IPv6: none, one or two.
 * Return 0, or -1 with errno. */
int interface_defaults(struct text_list *list);

/*
 * Append to LIST the addresses of interface NAME, both families, as text:
 * "192.0.2.1", "2001:db8::1", and where it has no others its link-local ones,
 * "fe80::1%eth0".  Return 0 (LIST may not have grown), or -1 with errno; ENXIO
 * when there is no such interface.
 */
int interface_addresses(const char *name, struct text_list *list);

#endif
