/* SPDX-License-Identifier: MIT */
#include "mechanisms.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

/* The name of a mechanism, and whether a token is shown by it. */
static const struct {
	const char *name;
	bool takes_token;
} mechanisms[] = {
	{ "SCRAM-SHA-256", false },
	{ "PLAIN", false },
	{ "LOGIN", false },
	{ "OAUTHBEARER", true },
	{ "XOAUTH2", true },
};

#define COUNT (sizeof(mechanisms) / sizeof(mechanisms[0]))

/* The number of the mechanism NAME of LEN bytes; COUNT: it is none. */
static size_t
find_mechanism(const char *name, size_t len)
{
	size_t i = 0;

	while (i < COUNT &&
	    (strlen(mechanisms[i].name) != len ||
		strncasecmp(mechanisms[i].name, name, len) != 0))
		i++;
	return i;
}

bool
mechanisms_has(const char *name)
{
	return find_mechanism(name, strlen(name)) < COUNT;
}

int
mechanisms_read(char *list, bool has_token, char *why, size_t size)
{
	size_t len;

	for (char *c = list; *c != '\0'; c++)
		if (*c == ',')
			*c = ' ';
	list += strspn(list, " ");
	if (*list == '\0') {
		snprintf(why, size, "there is none");
		return -1;
	}
	for (; *list != '\0'; list += len + strspn(list + len, " ")) {
		size_t i;

		len = strcspn(list, " ");
		i = find_mechanism(list, len);
		if (i < COUNT && mechanisms[i].takes_token == has_token)
			continue;
		if (i < COUNT)
			snprintf(why, size, "%s takes a %s", mechanisms[i].name,
			    has_token ? "password (--password-file)"
				      : "token (--token-file, "
					"--token-command)");
		else
			snprintf(why, size,
			    "\"%.*s\" is not SCRAM-SHA-256, PLAIN, LOGIN, "
			    "OAUTHBEARER or XOAUTH2",
			    (int)len, list);
		return -1;
	}
	return 0;
}
