/* SPDX-License-Identifier: MIT */
#include "places.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/un.h>

#include <string.h>

int
places_target(const char *name, uint16_t port, struct smtpd_target *t)
{
	union {
		struct sockaddr_storage any;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
		struct sockaddr_un un;
	} to = { .any = { .ss_family = AF_UNSPEC } };

	*t = (struct smtpd_target){ SMTPD_TARGET_INIT, .host = "localhost" };
	if (*name == '/' && strlen(name) < sizeof(to.un.sun_path)) {
		to.un.sun_family = AF_UNIX;
		memcpy(to.un.sun_path, name, strlen(name));
		t->len = sizeof(to.un);
	} else if (inet_pton(AF_INET, name, &to.in.sin_addr) == 1) {
		to.in.sin_family = AF_INET;
		to.in.sin_port = htons(port);
		t->len = sizeof(to.in);
	} else if (inet_pton(AF_INET6, name, &to.in6.sin6_addr) == 1) {
		to.in6.sin6_family = AF_INET6;
		to.in6.sin6_port = htons(port);
		t->len = sizeof(to.in6);
	} else {
		return -1;
	}
	t->addr = to.any;
	return 0;
}
