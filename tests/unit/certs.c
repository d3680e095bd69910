/* SPDX-License-Identifier: MIT */
#include "certs.h"

#include <stdio.h>
#include <stdlib.h>

static char dir[] = "/tmp/test_certs.XXXXXX";

int
certs_copy(void **state)
{
	char command[256];

	(void)state;
	if (mkdtemp(dir) == NULL)
		return -1;
	snprintf(command, sizeof(command), "cp -R %s/. %s", CERTS, dir);
	return system(command);
}

int
certs_remove(void **state)
{
	char command[256];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	return system(command);
}

const char *
certs_at(const char *name)
{
	static char paths[4][256];
	static unsigned next;
	char *path = paths[next++ % 4];

	snprintf(path, sizeof(paths[0]), "%s/%s", dir, name);
	return path;
}
