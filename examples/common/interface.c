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
#include <string.h>

/* Flags of a route: it is in use, and it leads nowhere. */
#define ROUTE_UP     0x0001
#define ROUTE_REJECT 0x0200

/* The best default route so far. */
struct best {
	char name[IF_NAMESIZE];
	unsigned long metric;
	bool found;
};

static void
consider_route(
    struct best *best, const char *name, unsigned long metric, unsigned flags)
{
	if (!(flags & ROUTE_UP) || (flags & ROUTE_REJECT))
		return;
	if (best->found && metric >= best->metric)
		return;
	snprintf(best->name, sizeof(best->name), "%s", name);
	best->metric = metric;
	best->found = true;
}

/* Iface Destination Gateway Flags RefCnt Use Metric Mask ... */
static void
parse_route(FILE *file, struct best *best)
{
	char line[256];

	while (fgets(line, sizeof(line), file) != NULL) {
		char name[IF_NAMESIZE];
		unsigned long to, mask, metric;
		unsigned flags;

		if (sscanf(line, "%15s %lx %*x %x %*d %*d %lu %lx", name, &to,
			&flags, &metric, &mask) == 5 &&
		    to == 0 && mask == 0)
			consider_route(best, name, metric, flags);
	}
}

/* Destination Length Source Length Next-hop Metric RefCnt Use Flags Iface */
static void
parse_route6(FILE *file, struct best *best)
{
	char line[256];

	while (fgets(line, sizeof(line), file) != NULL) {
		char name[IF_NAMESIZE], to[33];
		unsigned len, flags;
		unsigned long metric;

		if (sscanf(line, "%32s %x %*32s %*x %*32s %lx %*x %*x %x %15s",
			to, &len, &metric, &flags, name) == 5 &&
		    len == 0 && strspn(to, "0") == 32)
			consider_route(best, name, metric, flags);
	}
}

int
interface_parse_routes(FILE *route, FILE *route6, struct text_list *list)
{
	struct best v4 = { .found = false }, v6 = { .found = false };

	if (route != NULL)
		parse_route(route, &v4);
	if (route6 != NULL)
		parse_route6(route6, &v6);
	if (v4.found && text_list_add(list, v4.name) == -1)
		return -1;
	if (v4.found && strcmp(v4.name, v6.name) == 0)
		return 0;
	return v6.found ? text_list_add(list, v6.name) : 0;
}

int
interface_defaults(struct text_list *list)
{
	FILE *route = fopen("/proc/net/route", "r");
	FILE *route6 = fopen("/proc/net/ipv6_route", "r");
	int result = interface_parse_routes(route, route6, list);

	if (route != NULL)
		fclose(route);
	if (route6 != NULL)
		fclose(route6);
	return result;
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
