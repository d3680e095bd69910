/* SPDX-License-Identifier: MIT */
#include "os/nodename.h"

#include <unistd.h>

int
smtpd__nodename_get(char *buf, size_t size)
{
	buf[0] = '\0';
	if (gethostname(buf, size) == -1)
		buf[0] = '\0';
	/* A name that was cut off may lack its NUL. */
	buf[size - 1] = '\0';
	return buf[0] != '\0' ? 0 : -1;
}
