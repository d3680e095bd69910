/* SPDX-License-Identifier: MIT */
#include "local_names.h"

#include <pwd.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* Room for what the system knows of an account. */
#define ACCOUNT_SIZE 16384

static bool
is_role(const char *key)
{
	return strcmp(key, "postmaster") == 0 ||
	    strcmp(key, "mailer-daemon") == 0;
}

static bool
is_account(const char *key)
{
	struct passwd account, *found = NULL;
	char *buf = malloc(ACCOUNT_SIZE);

	if (buf != NULL)
		getpwnam_r(key, &account, buf, ACCOUNT_SIZE, &found);
	free(buf);
	return found != NULL;
}

bool
local_names_has(const char *key)
{
	return is_role(key) || is_account(key);
}
