/* SPDX-License-Identifier: MIT */
#include "routes.h"

#include <sys/socket.h>
#include <sys/time.h>

#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <unistd.h>

/* As much as the kernel sends at a time. */
#define BLOCK_SIZE 32768

/* The attributes of a route that matter. */
struct attributes {
	unsigned index;
	uint32_t metric;
	uint32_t table;
};

/* The interface of the first of several ways, VALUE of LEN bytes. */
static unsigned
first_hop(const void *value, size_t len)
{
	struct rtnexthop hop;

	if (len < sizeof(hop))
		return 0;
	memcpy(&hop, value, sizeof(hop));
	return (unsigned)hop.rtnh_ifindex;
}

static void
parse_attribute(
    unsigned type, const void *value, size_t len, struct attributes *out)
{
	uint32_t n = 0;

	if (len >= sizeof(n))
		memcpy(&n, value, sizeof(n));
	if (type == RTA_OIF)
		out->index = n;
	else if (type == RTA_PRIORITY)
		out->metric = n;
	else if (type == RTA_TABLE)
		out->table = n;
	else if (type == RTA_MULTIPATH)
		out->index = first_hop(value, len);
}

/* One route, LEN bytes at DATA. */
static void
parse_route(const char *data, size_t len, struct routes *out)
{
	struct attributes a = { .index = 0 };
	struct route_best *best;
	struct rtmsg route;

	if (len < sizeof(route))
		return;
	memcpy(&route, data, sizeof(route));
	a.table = route.rtm_table;
	for (size_t at = NLMSG_ALIGN(sizeof(route)); at < len;) {
		struct rtattr attr;

		if (len - at < sizeof(attr))
			break;
		memcpy(&attr, data + at, sizeof(attr));
		if (attr.rta_len < sizeof(attr) || attr.rta_len > len - at)
			break;
		parse_attribute(attr.rta_type, data + at + sizeof(attr),
		    attr.rta_len - sizeof(attr), &a);
		at += RTA_ALIGN(attr.rta_len);
	}
	best = route.rtm_family == AF_INET6 ? &out->v6 : &out->v4;
	if ((route.rtm_family != AF_INET && route.rtm_family != AF_INET6) ||
	    route.rtm_type != RTN_UNICAST || route.rtm_dst_len != 0 ||
	    route.rtm_src_len != 0 || a.table != RT_TABLE_MAIN ||
	    (route.rtm_flags & RTNH_F_DEAD) != 0 || a.index == 0)
		return;
	if (best->index == 0 || a.metric < best->metric)
		*best = (struct route_best){ a.index, a.metric };
}

bool
routes_parse(const void *data, size_t len, struct routes *out)
{
	const char *at = data;

	while (len >= sizeof(struct nlmsghdr)) {
		struct nlmsghdr head;
		size_t step;

		memcpy(&head, at, sizeof(head));
		if (head.nlmsg_len < sizeof(head) || head.nlmsg_len > len ||
		    head.nlmsg_type == NLMSG_DONE ||
		    head.nlmsg_type == NLMSG_ERROR)
			return false;
		if (head.nlmsg_type == RTM_NEWROUTE)
			parse_route(at + NLMSG_HDRLEN,
			    head.nlmsg_len - NLMSG_HDRLEN, out);
		step = NLMSG_ALIGN(head.nlmsg_len);
		if (step > len)
			step = len;
		at += step;
		len -= step;
	}
	return true;
}

/* Ask over FD for the routes of FAMILY, and read the answer. */
static int
read_family(int fd, int family, struct routes *out)
{
	struct {
		struct nlmsghdr head;
		struct rtmsg route;
	} ask = {
		.head = { .nlmsg_len = NLMSG_LENGTH(sizeof(struct rtmsg)),
		    .nlmsg_type = RTM_GETROUTE,
		    .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP },
		.route = { .rtm_family = (unsigned char)family },
	};
	static const struct timeval limit = { .tv_sec = 5 };
	char block[BLOCK_SIZE];
	ssize_t n;

	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) ==
		-1 ||
	    send(fd, &ask, ask.head.nlmsg_len, 0) == -1)
		return -1;
	do {
		n = recv(fd, block, sizeof(block), 0);
		if (n == -1 && errno != EINTR)
			return -1;
	} while (n == -1 || routes_parse(block, (size_t)n, out));
	return 0;
}

int
routes_read(struct routes *out)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	int result, error;

	*out = (struct routes){ .v4 = { 0, 0 } };
	if (fd == -1)
		return -1;
	result = read_family(fd, AF_INET, out);
	if (result == 0)
		result = read_family(fd, AF_INET6, out);
	error = errno;
	close(fd);
	errno = error;
	return result;
}
