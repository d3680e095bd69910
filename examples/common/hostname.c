/* SPDX-License-Identifier: MIT */
#include "hostname.h"

#include <sys/socket.h>
#include <sys/types.h>

#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <smtpd/address.h>

int
hostname_is_valid(const char *name)
{
	char text[HOSTNAME_SIZE + 4], buf[SMTPD_ADDRESS_MAX];
	struct smtpd_address address;
	int n = snprintf(text, sizeof(text), "x@%s", name);

	return n > 0 && (size_t)n < sizeof(text) &&
	    smtpd_address_parse(text, buf, sizeof(buf), &address) == 0 &&
	    strcmp(address.local, "x") == 0;
}

/* Replace the short name in BUF by the full one, if the resolver knows it. */
static void
qualify_name(char *buf)
{
	struct addrinfo hints = { .ai_flags = AI_CANONNAME };
	struct addrinfo *found;

	if (getaddrinfo(buf, NULL, &hints, &found) != 0)
		return;
	if (found->ai_canonname != NULL &&
	    strchr(found->ai_canonname, '.') != NULL &&
	    strlen(found->ai_canonname) < HOSTNAME_SIZE)
		snprintf(buf, HOSTNAME_SIZE, "%s", found->ai_canonname);
	freeaddrinfo(found);
}

int
hostname_find(char *buf)
{
	char name[HOSTNAME_SIZE];

	if (gethostname(name, sizeof(name)) == -1)
		return -1;
	name[sizeof(name) - 1] = '\0';
	memcpy(buf, name, sizeof(name));
	if (strchr(buf, '.') == NULL)
		qualify_name(buf);
	return hostname_is_valid(buf) ? 0 : -1;
}
