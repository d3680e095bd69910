/* SPDX-License-Identifier: MIT */
#include "user_trace.h"

#include <stdio.h>
#include <time.h>

void
user_trace_write(const char *host, const char *program, uid_t uid, char *buf)
{
	time_t now = time(NULL);
	char date[64];
	struct tm tm;

	if (gmtime_r(&now, &tm) == NULL ||
	    strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S +0000", &tm) ==
		0)
		date[0] = '\0';
	snprintf(buf, USER_TRACE_SIZE,
	    "Received: by %s (%s, from userid %lu);\r\n\t%s\r\n", host, program,
	    (unsigned long)uid, date);
}
