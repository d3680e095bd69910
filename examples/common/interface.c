/* SPDX-License-Identifier: MIT */
#include "interface.h"

#include <sys/socket.h>
#include <sys/types.h>

#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "routes.h"

int
interface_defaults(struct text_list *list)
{
	char name[IF_NAMESIZE];
	struct routes routes;

	if (routes_read(&routes) == -1)
		return -1;
	if (routes.v4.index != 0 &&
	    if_indextoname(routes.v4.index, name) != NULL &&
	    text_list_add(list, name) == -1)
		return -1;
	if (routes.v6.index == 0 || routes.v6.index == routes.v4.index ||
	    if_indextoname(routes.v6.index, name) == NULL)
		return 0;
	return text_list_add(list, name);
}

static bool
is_link_local(const struct sockaddr *address)
{
	struct sockaddr_in6 in6;

	if (address->sa_family != AF_INET6)
		return false;
	memcpy(&in6, address, sizeof(in6));
	return IN6_IS_ADDR_LINKLOCAL(&in6.sin6_addr);
}

/* Append ADDRESS, of interface NAME, to LIST. */
static int
add_address(
    const struct sockaddr *address, const char *name, struct text_list *list)
{
	char text[INET6_ADDRSTRLEN + IF_NAMESIZE + 1];
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
	size_t len;

	if (address->sa_family == AF_INET) {
		memcpy(&in, address, sizeof(in));
		inet_ntop(AF_INET, &in.sin_addr, text, sizeof(text));
		return text_list_add(list, text);
	}
	memcpy(&in6, address, sizeof(in6));
	inet_ntop(AF_INET6, &in6.sin6_addr, text, sizeof(text));
	len = strlen(text);
	if (is_link_local(address))
		snprintf(text + len, sizeof(text) - len, "%%%s", name);
	return text_list_add(list, text);
}

/* Append the addresses of NAME among ALL that are link-local, or are not. */
static int
add_addresses(const struct ifaddrs *all, const char *name, bool link_local,
    struct text_list *list)
{
	for (const struct ifaddrs *i = all; i != NULL; i = i->ifa_next) {
		const struct sockaddr *address = i->ifa_addr;

		if (address == NULL || strcmp(i->ifa_name, name) != 0)
			continue;
		if (address->sa_family != AF_INET &&
		    address->sa_family != AF_INET6)
			continue;
		if (is_link_local(address) == link_local &&
		    add_address(address, name, list) == -1)
			return -1;
	}
	return 0;
}

int
interface_addresses(const char *name, struct text_list *list)
{
	size_t before = list->count;
	struct ifaddrs *all;
	int result;

	if (if_nametoindex(name) == 0) {
		errno = ENXIO;
		return -1;
	}
	if (getifaddrs(&all) == -1)
		return -1;
	result = add_addresses(all, name, false, list);
	if (result == 0 && list->count == before)
		result = add_addresses(all, name, true, list);
	freeifaddrs(all);
	return result;
}
