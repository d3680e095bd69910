/* SPDX-License-Identifier: MIT */
#include "resolve/self.h"

#include <ifaddrs.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define FRESH_MS 60000

struct smtpd_self {
	pthread_mutex_t lock;
	uint64_t stale; /* when to look again */
	struct smtpd_ip *list;
	size_t count;
};

struct smtpd_self *
smtpd__self_create(void)
{
	struct smtpd_self *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return NULL;
	if (pthread_mutex_init(&s->lock, NULL) == 0)
		return s;
	free(s);
	return NULL;
}

void
smtpd__self_destroy(struct smtpd_self *s)
{
	if (s == NULL)
		return;
	pthread_mutex_destroy(&s->lock);
	free(s->list);
	free(s);
}

static bool
read_address(const struct sockaddr *addr, struct smtpd_ip *ip)
{
	struct sockaddr_in in;
	struct sockaddr_in6 in6;

	if (addr == NULL)
		return false;
	if (addr->sa_family == AF_INET) {
		memcpy(&in, addr, sizeof(in));
		*ip = smtpd__ip_make(AF_INET, &in.sin_addr);
		return true;
	}
	if (addr->sa_family != AF_INET6)
		return false;
	memcpy(&in6, addr, sizeof(in6));
	*ip = smtpd__ip_make(AF_INET6, &in6.sin6_addr);
	return true;
}

/* The lock is held.  What was known stays when there is nothing newer. */
static void
refresh_list(struct smtpd_self *s)
{
	struct ifaddrs *all, *at;
	struct smtpd_ip *list;
	size_t n = 0;

	if (getifaddrs(&all) != 0)
		return;
	for (at = all; at != NULL; at = at->ifa_next)
		n++;
	list = calloc(n + 1, sizeof(*list));
	if (list != NULL) {
		free(s->list);
		s->list = list;
		s->count = 0;
		for (at = all; at != NULL; at = at->ifa_next)
			if (read_address(at->ifa_addr, &list[s->count]))
				s->count++;
	}
	freeifaddrs(all);
}

bool
smtpd__self_has(struct smtpd_self *s, const struct smtpd_ip *ip, uint64_t now)
{
	const struct smtpd_ip real = smtpd__ip_unmap(ip);
	bool has = false;

	if (smtpd__ip_is_local(&real))
		return true;
	pthread_mutex_lock(&s->lock);
	if (s->list == NULL || now >= s->stale) {
		s->stale = now + FRESH_MS;
		refresh_list(s);
	}
	for (size_t i = 0; i < s->count && !has; i++)
		has = s->list[i].family == real.family &&
		    memcmp(s->list[i].bytes, real.bytes, sizeof(real.bytes)) ==
			0;
	pthread_mutex_unlock(&s->lock);
	return has;
}
