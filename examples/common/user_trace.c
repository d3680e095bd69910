/* SPDX-License-Identifier: MIT */
#include "user_trace.h"

#include <stdio.h>

void
user_trace_date(time_t when, char *buf)
{
	struct tm tm;

	if (gmtime_r(&when, &tm) == NULL ||
	    strftime(buf, USER_TRACE_DATE_SIZE, "%a, %d %b %Y %H:%M:%S +0000",
		&tm) == 0)
		buf[0] = '\0';
}

void
user_trace_write(
    const char *host, const char *program, uid_t uid, time_t when, char *buf)
{
	char date[USER_TRACE_DATE_SIZE];

	user_trace_date(when, date);
	snprintf(buf, USER_TRACE_SIZE,
	    "Received: by %s (%s, from userid %lu);\r\n\t%s\r\n", host, program,
	    (unsigned long)uid, date);
}
