/* SPDX-License-Identifier: MIT */
#include "grammar/date.h"

#include "base/text.h"

void
smtpd__date_write(time_t when, char *buf)
{
	static const char days[7][4] = { "Sun", "Mon", "Tue", "Wed", "Thu",
		"Fri", "Sat" };
	static const char months[12][4] = { "Jan", "Feb", "Mar", "Apr", "May",
		"Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
	time_t epoch = 0;
	struct smtpd_text t;
	struct tm tm;

	/* The year may not fit its type. */
	if (gmtime_r(&when, &tm) == NULL)
		gmtime_r(&epoch, &tm);
	smtpd__text_init(&t, buf, SMTPD_DATE_MAX);
	smtpd__text_format(&t, "%s, %02d %s %04lld %02d:%02d:%02d +0000",
	    days[tm.tm_wday], tm.tm_mday, months[tm.tm_mon],
	    (long long)tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
}
