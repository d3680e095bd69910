/* SPDX-License-Identifier: MIT */
#include "mailname.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

int
mailname_read(char *buf, char *why, size_t size)
{
	FILE *file = fopen(MAILNAME_FILE, "re");
	char line[HOSTNAME_SIZE + 2] = "";
	int error;

	buf[0] = '\0';
	if (file == NULL && errno == ENOENT)
		return 0;
	errno = 0;
	if (file != NULL && fgets(line, sizeof(line), file) == NULL)
		line[0] = '\0';
	error = errno;
	if (file != NULL)
		fclose(file);
	if (error != 0) {
		snprintf(why, size, "cannot read " MAILNAME_FILE ": %s",
		    strerror(error));
		return -1;
	}
	line[strcspn(line, " \t\r\n")] = '\0';
	if (!hostname_is_valid(line)) {
		snprintf(why, size,
		    "%s: \"%s\" is not a name that mail can use: correct it, "
		    "or remove the file",
		    MAILNAME_FILE, line);
		return -1;
	}
	memcpy(buf, line, strlen(line) + 1);
	return 0;
}
